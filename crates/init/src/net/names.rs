//! The box's name service, as far as it is in the box: who asks in a datagram is answered over a
//! connection, which the platform accepts like any other (RFC 7766 frames are what it speaks there).
//! What is asked and answered means nothing to init.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket as StdUdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::SocketType;
use rustix::net::sockopt::{socket_acceptconn, socket_type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::listen::Listeners;

/// The longest question that is carried; the platform reads none that is longer.
const LONGEST: usize = 4096;
/// Questions at once. Beyond it they are dropped, as a network would; who asked asks again.
const MOST: usize = 64;
/// How long an answer may take: as long as programs wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after a failure to read.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes the two sockets over; the first becomes one of the listeners.
pub(crate) fn take(
    listener: OwnedFd,
    datagrams: OwnedFd,
    listeners: &mut Listeners,
) -> io::Result<(StdUdpSocket, SocketAddr)> {
    if !socket_acceptconn(&listener)? || socket_type(&datagrams)? != SocketType::DGRAM {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let listener = TcpListener::from(listener);
    listener.set_nonblocking(true)?;
    let at = listener.local_addr()?;
    listeners.add(at.port(), listener.into());
    let datagrams = StdUdpSocket::from(datagrams);
    datagrams.set_nonblocking(true)?;
    Ok((datagrams, at))
}

/// Carries datagrams for init's life.
pub(crate) async fn serve(datagrams: UdpSocket, listener: SocketAddr) {
    let (datagrams, places) = (Arc::new(datagrams), Arc::new(Semaphore::new(MOST)));
    // One byte more than may be: what fills it was longer.
    let mut question = [0; LONGEST + 1];
    loop {
        let Ok((length, from)) = datagrams.recv_from(&mut question).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        if length == 0 || length > LONGEST {
            continue;
        }
        let (question, datagrams) = (question[..length].to_vec(), Arc::clone(&datagrams));
        tokio::spawn(async move {
            if let Ok(Ok(answer)) = timeout(PATIENCE, ask(&question, listener)).await {
                // Who asked may be gone.
                let _ = datagrams.send_to(&answer, from).await;
            }
            drop(place);
        });
    }
}

async fn ask(question: &[u8], listener: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(listener).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}
