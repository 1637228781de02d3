//! Hands descriptors to the platform: one request per connection, each on a task of its own.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use smartbox_link::pass::{self, Ask};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::listen::Listeners;
use crate::state::State;

/// How long a request may take to arrive, and its answer to leave.
const SLOW: Duration = Duration::from_secs(10);
/// How long a port may take to accept. A frozen one accepts at once, in the kernel.
const DIAL: Duration = Duration::from_secs(5);
/// Requests at once.
const MOST: usize = 256;

/// Serves the pass listener for init's life.
pub(crate) async fn serve(state: Arc<State>, listeners: Listeners, door: UnixListener) {
    let listeners = Arc::new(listeners);
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = door.accept().await else {
            // Out of descriptors: some come back when a request ends.
            let _ = timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
            continue;
        };
        let (state, listeners) = (Arc::clone(&state), Arc::clone(&listeners));
        tokio::spawn(async move {
            let _ = answer(&state, &listeners, stream).await;
            drop(place);
        });
    }
}

async fn answer(state: &State, listeners: &Listeners, mut stream: UnixStream) -> io::Result<()> {
    let mut request = [0; pass::LEN];
    timeout(SLOW, stream.read_exact(&mut request)).await??;
    let (byte, descriptor) = match grant(state, listeners, &request).await {
        Ok(descriptor) => (pass::OK, Some(descriptor)),
        Err(refusal) => (refusal, None),
    };
    timeout(SLOW, send(&stream, byte, descriptor.as_ref())).await?
}

async fn grant(
    state: &State,
    listeners: &Listeners,
    request: &[u8; pass::LEN],
) -> Result<OwnedFd, u8> {
    let (ask, fence) = Ask::decode(request).ok_or(pass::BAD)?;
    if !state.fence.admits(fence) {
        return Err(pass::FENCED);
    }
    let listener = match ask {
        Ask::Dial(port) => return dial(port).await.ok_or(pass::REFUSED),
        Ask::Listener(port) => listeners.v4(port),
        Ask::Listener6(port) => listeners.v6(port),
    };
    listener.ok_or(pass::BAD)?.map_err(|_| pass::REFUSED)
}

/// Connects to a port of the box.
async fn dial(port: u16) -> Option<OwnedFd> {
    let attempt = async {
        for address in [(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()] {
            let address: SocketAddr = address;
            if let Ok(stream) = TcpStream::connect(address).await
                // Dialling a port of the range from which the kernel picks can meet itself.
                && stream.local_addr().is_ok_and(|local| local != address)
            {
                return stream.into_std().ok().map(OwnedFd::from);
            }
        }
        None
    };
    timeout(DIAL, attempt).await.ok().flatten()
}

async fn send(stream: &UnixStream, byte: u8, descriptor: Option<&OwnedFd>) -> io::Result<()> {
    let bytes = [byte];
    let descriptors = descriptor.map(AsFd::as_fd);
    stream
        .async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if descriptors.is_some() {
                control.push(SendAncillaryMessage::ScmRights(descriptors.as_slice()));
            }
            let sent = sendmsg(stream, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL)?;
            if sent == 1 { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
        })
        .await
}
