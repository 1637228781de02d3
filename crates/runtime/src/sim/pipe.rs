//! A connection whose bytes stand still while its box is frozen, and that ends with the engine's process.

use smartbox_core::sandbox::port::Conn;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio_util::compat::TokioAsyncReadCompatExt;
use tokio_util::sync::CancellationToken;

const BUFFER: usize = 64 << 10;

/// Both ends of a connection: the caller's and the engine's.
pub(super) fn pipe(frozen: &watch::Receiver<bool>, life: &CancellationToken) -> (Conn, Conn) {
    let (caller, near) = tokio::io::duplex(BUFFER);
    let (engine, far) = tokio::io::duplex(BUFFER);
    let (near_read, near_write) = tokio::io::split(near);
    let (far_read, far_write) = tokio::io::split(far);
    for (from, to) in [(near_read, far_write), (far_read, near_write)] {
        let (frozen, life) = (frozen.clone(), life.clone());
        tokio::spawn(async move { life.run_until_cancelled(copy(from, to, frozen)).await });
    }
    (Box::pin(caller.compat()), Box::pin(engine.compat()))
}

async fn copy(
    mut from: ReadHalf<DuplexStream>,
    mut to: WriteHalf<DuplexStream>,
    mut frozen: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; BUFFER];
    while let Ok(n) = from.read(&mut bytes).await {
        if frozen.wait_for(|frozen| !frozen).await.is_err() || n == 0 {
            break;
        }
        if to.write_all(&bytes[..n]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
