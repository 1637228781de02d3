//! Connecting to something inside: init's link by its socket, ports by descriptors that init hands
//! over, so that no byte of data crosses init. What init hands over is checked before it is used.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketType, sockopt,
};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Conn, RuntimeError, Target};
use smartbox_link::pass::{self, Ask};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::error::{broken, broken_by};
use super::{Inner, peer};

/// How long init may take to hand a descriptor over.
const DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn dial(
    inner: &Inner,
    id: &SmartboxId,
    target: Target,
) -> Result<Conn, RuntimeError> {
    let fence = inner.fence(id)?;
    match target {
        Target::Link => Ok(Box::pin(connect(inner, id, "link.sock").await?.compat())),
        Target::Port(port) => {
            let (fd, _) = ask(inner, id, Ask::Dial(port), port, fence).await?;
            let fail = |e| broken("using the passed connection", e);
            let stream = std::net::TcpStream::from(fd);
            stream.set_nonblocking(true).map_err(fail)?;
            let stream = TcpStream::from_std(stream).map_err(fail)?;
            stream.set_nodelay(true).map_err(fail)?;
            Ok(Box::pin(stream.compat()))
        }
    }
}

async fn connect(inner: &Inner, id: &SmartboxId, name: &str) -> Result<UnixStream, RuntimeError> {
    let found = peer::connect(&inner.dir(id), name).await;
    found
        .map_err(|e| broken("connecting to init", e))?
        .ok_or_else(|| RuntimeError::Absent(id.clone()))
}

/// Asks init for a descriptor. With it comes the stream it came over, which tells init's process.
pub(super) async fn ask(
    inner: &Inner,
    id: &SmartboxId,
    ask: Ask,
    port: u16,
    fence: u64,
) -> Result<(OwnedFd, UnixStream), RuntimeError> {
    let doing = "asking init for a connection";
    let talk = async {
        let mut stream = connect(inner, id, "pass.sock").await?;
        stream.write_all(&ask.encode(fence)).await.map_err(|e| broken(doing, e))?;
        let (word, fd) = stream
            .async_io(Interest::READABLE, || receive(&stream))
            .await
            .map_err(|e| broken(doing, e))?;
        Ok::<_, RuntimeError>((word, fd, stream))
    };
    let (word, fd, stream) = tokio::time::timeout(DEADLINE, talk)
        .await
        .map_err(|_| broken_by(doing, "init did not answer in time"))??;
    match (word, fd) {
        (pass::OK, Some(fd)) => {
            let listens = matches!(ask, Ask::Listener(_) | Ask::Listener6(_));
            check(&fd, listens).map_err(|why| broken_by(doing, why))?;
            Ok((fd, stream))
        }
        (pass::REFUSED | pass::BAD, None) => Err(RuntimeError::Refused { id: id.clone(), port }),
        (pass::FENCED, None) => {
            Err(RuntimeError::Fenced { id: id.clone(), ours: fence, theirs: fence + 1 })
        }
        _ => Err(broken_by(doing, "its answer is not understood")),
    }
}

/// One byte and at most one descriptor. More than one is an error and all are closed.
fn receive(stream: &UnixStream) -> io::Result<(u8, Option<OwnedFd>)> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got = rustix::net::recvmsg(
        stream.as_fd(),
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(more) = message {
            fds.extend(more);
        }
    }
    if got.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if fds.len() > 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more than one descriptor"));
    }
    Ok((byte[0], fds.pop()))
}

/// Whether this is a TCP socket of the kind that was asked for.
pub(super) fn check(fd: impl AsFd, listens: bool) -> Result<(), &'static str> {
    let family = sockopt::socket_domain(&fd).map_err(|_| "what init passed is not a socket")?;
    if family != AddressFamily::INET && family != AddressFamily::INET6 {
        return Err("what init passed is a socket of another family");
    }
    if sockopt::socket_type(&fd) != Ok(SocketType::STREAM)
        || sockopt::socket_protocol(&fd) != Ok(Some(rustix::net::ipproto::TCP))
    {
        return Err("what init passed is a socket of another type");
    }
    if sockopt::socket_acceptconn(&fd) != Ok(listens) {
        return Err("what init passed listens where it should be connected, or the reverse");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tcp_socket_of_the_right_kind_is_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(check(&stream, false), Ok(()));
        assert_eq!(check(&listener, true), Ok(()));
        assert!(check(&listener, false).is_err());
        assert!(check(&stream, true).is_err());
        assert!(check(std::fs::File::open("/dev/null").unwrap(), false).is_err());
        let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(check(&unix, false).is_err());
        assert!(check(std::net::UdpSocket::bind("127.0.0.1:0").unwrap(), false).is_err());
    }

    #[tokio::test]
    async fn a_gift_of_several_descriptors_is_refused() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
        let two = [file.as_fd(), file.as_fd()];
        assert!(control.push(rustix::net::SendAncillaryMessage::ScmRights(&two)));
        rustix::net::sendmsg(
            theirs.as_fd(),
            &[io::IoSlice::new(&[pass::OK])],
            &mut control,
            rustix::net::SendFlags::empty(),
        )
        .unwrap();
        ours.readable().await.unwrap();
        assert_eq!(receive(&ours).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
