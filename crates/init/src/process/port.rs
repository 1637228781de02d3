//! A descriptor that is read and written without blocking: pipes, terminals, signals.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The descriptor, known to the reactor.
pub(crate) struct Port(AsyncFd<OwnedFd>);

impl Port {
    /// Takes a descriptor whose open file description nobody else sets to blocking.
    #[expect(unsafe_code, reason = "the reactor wants a promise about the descriptor")]
    pub(crate) fn new(fd: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        // SAFETY: an `OwnedFd` names the same open descriptor until it is dropped, and nothing takes
        // it out of the `AsyncFd`.
        Ok(Self(unsafe { AsyncFd::register(fd) }?))
    }

    /// Reads; 0 is the end. A terminal whose other side is gone has ended, too.
    pub(crate) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.0.async_io(Interest::READABLE, |fd| read(fd.as_fd(), into)).await
    }

    /// Reads what is there now; `WouldBlock` if nothing is.
    pub(crate) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        read(self.as_fd(), into)
    }

    /// Writes all of it.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let n =
                self.0.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, bytes)?)).await?;
            bytes = &bytes[n..];
        }
        Ok(())
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

fn read(fd: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<usize> {
    match rustix::io::read(fd, into) {
        Err(Errno::IO) => Ok(0),
        other => Ok(other?),
    }
}
