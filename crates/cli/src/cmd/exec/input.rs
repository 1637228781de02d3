//! What goes to the command: bytes of standard input, its end, and the terminal's size.

use smartbox_api::exec::Frame;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::ui::{stdin, term};

/// Feeds the command until it ends. The sender is kept: dropping it would cancel the command.
pub(super) async fn feed(frames: mpsc::Sender<Frame>, forward: bool, tty: bool) {
    let resizes = async {
        if !tty {
            return;
        }
        let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
        while changes.recv().await.is_some() {
            if frames.send(Frame::Resize(term::size())).await.is_err() {
                return;
            }
        }
    };
    let input = async {
        if forward {
            let mut pieces = stdin::pieces();
            while let Some(bytes) = pieces.recv().await {
                if frames.send(Frame::Stdin(bytes)).await.is_err() {
                    return;
                }
            }
        }
        let _ = frames.send(Frame::StdinEnd).await;
    };
    tokio::join!(input, resizes);
    frames.closed().await;
}
