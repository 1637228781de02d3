//! Copies a command's output into frames.

use std::sync::Arc;

use bytes::Bytes;
use smartbox_link::frame::Frame;
use tokio::sync::{mpsc, watch};

use crate::process::Port;

/// The most that is read at once; half of what a frame may hold.
const CHUNK: usize = 32 << 10;
/// The most that is read after the command's end: what a pipe can hold. A writer that got away is not
/// waited for.
const REST: usize = 1 << 20;

/// Copies until the output ends or, once `ended` is set, until nothing is left in it.
pub(crate) async fn pump(
    port: Arc<Port>,
    wrap: fn(Bytes) -> Frame,
    answer: mpsc::Sender<Frame>,
    mut ended: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; CHUNK];
    loop {
        let read = tokio::select! {
            biased;
            read = port.read(&mut bytes) => read,
            _ = ended.wait_for(|&ended| ended) => break,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(len) => {
                if answer.send(wrap(Bytes::copy_from_slice(&bytes[..len]))).await.is_err() {
                    return;
                }
            }
        }
        if *ended.borrow() {
            break;
        }
    }
    let mut rest = REST;
    while let Ok(len) = port.try_read(&mut bytes) {
        rest = rest.saturating_sub(len);
        if len == 0 || rest == 0 {
            return;
        }
        if answer.send(wrap(Bytes::copy_from_slice(&bytes[..len]))).await.is_err() {
            return;
        }
    }
}
