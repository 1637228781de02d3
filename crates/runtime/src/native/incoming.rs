//! The connections that something inside makes to the platform: init hands its listener over.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures_util::stream;
use smartbox_core::BoxStream;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Incoming, RuntimeError};
use smartbox_link::pass::Ask;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::caller::Callers;
use super::error::broken;
use super::peer::Process;
use super::{Inner, dial, peer};

pub(super) async fn incoming(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    port: u16,
) -> Result<BoxStream<'static, Incoming>, RuntimeError> {
    let fence = inner.fence(id)?;
    let (fd, stream) = dial::ask(inner, id, Ask::Listener(port), port, fence).await?;
    let fail = |e| broken("using the passed listener", e);
    let init = peer::process_behind(&stream).map_err(fail)?;
    let four = listener(fd).map_err(fail)?;
    // Clients that try `::1` first; a box without IPv6 has none.
    let six = match dial::ask(inner, id, Ask::Listener6(port), port, fence).await {
        Ok((fd, _)) => Some(listener(fd).map_err(fail)?),
        Err(_) => None,
    };
    let callers = Callers::new(inner.clone(), id.clone(), init.pid);
    let door = Door { four, six, init, callers };
    Ok(Box::pin(stream::unfold(door, |door| async move {
        let call = door.next().await?;
        Some((call, door))
    })))
}

fn listener(fd: OwnedFd) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Where connections come in.
struct Door {
    four: TcpListener,
    six: Option<TcpListener>,
    init: Process,
    callers: Callers,
}

impl Door {
    /// The next connection; `None` once the sandbox has ended.
    async fn next(&self) -> Option<Incoming> {
        loop {
            let accepted = tokio::select! {
                () = self.init.ended() => return None,
                accepted = self.four.accept() => accepted,
                accepted = accept(self.six.as_ref()) => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // Without it small frames wait; that is slower, not wrong.
                    let _ = stream.set_nodelay(true);
                    let program = self.callers.of(&stream);
                    return Some(Incoming { conn: Box::pin(stream.compat()), program });
                }
                Err(error) => {
                    tracing::warn!(%error, "accepting a connection from a box");
                    // Out of descriptors, usually: give others time to close some.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}
