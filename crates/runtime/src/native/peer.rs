//! Meeting init: whoever listens on the link's socket is the sandbox.
//!
//! The socket lies in a directory that only the platform sees and was bound by the process that
//! became init; connecting tells its process, even to a control plane that remembers nothing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use smartbox_link::wire::Status;
use smartbox_link::{Link, LinkError};
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;

use super::dirs::BoxDir;
use super::sys;

/// Init's process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    fd: AsyncFd<OwnedFd>,
}

impl Process {
    /// By its pid; right only if the caller knows that the pid cannot have been reused.
    pub(super) fn open(pid: i32) -> io::Result<Self> {
        let number = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
        Self::new(pid, rustix::process::pidfd_open(number, PidfdFlags::empty())?)
    }

    fn new(pid: i32, fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { pid, fd: super::sys::awaited(fd)? })
    }

    pub(super) fn kill(&self) {
        // It may be gone; that is the aim.
        let _ = rustix::process::pidfd_send_signal(self.fd.get_ref(), Signal::KILL);
    }

    /// Resolves when it has ended.
    pub(super) async fn ended(&self) {
        // An error here means that the reactor is gone, and with it all of us.
        let _ = self.fd.readable().await;
    }

    /// Takes its exit status if it is our child; else whoever is its parent does.
    pub(super) fn reap(&self) {
        let _ = rustix::process::waitid(
            WaitId::PidFd(self.fd.get_ref().as_fd()),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        );
    }
}

/// Connects to one of a box's sockets; `None` if nobody listens there.
pub(super) async fn connect(dir: &BoxDir, name: &str) -> io::Result<Option<UnixStream>> {
    let run = match rustix::fs::open(
        dir.run(),
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        other => other?,
    };
    // By way of the descriptor, since a socket's path may have 107 bytes only.
    let path = format!("/proc/self/fd/{}/{name}", run.as_raw_fd());
    match UnixStream::connect(Path::new(&path)).await {
        Ok(stream) => Ok(Some(stream)),
        Err(e) if is_gone(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether an error says that init has ended: before we came, or while we were at it.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    ) || matches!(error.raw_os_error(), Some(libc::ESRCH | libc::EINVAL | libc::ENODATA))
}

/// The process that listens where this stream leads.
pub(super) fn process_behind(stream: &UnixStream) -> io::Result<Process> {
    let pid = stream.peer_cred()?.pid().ok_or(io::ErrorKind::NotFound)?;
    match sys::peer_pidfd(stream) {
        Ok(fd) => Process::new(pid, fd),
        // Before Linux 6.5. The caller holds a connection that only init's socket can have given.
        Err(e) if e.raw_os_error() == Some(libc::ENOPROTOOPT) => Process::open(pid),
        Err(e) => Err(e),
    }
}

/// Init's process if there is one.
pub(super) async fn find(dir: &BoxDir) -> io::Result<Option<Process>> {
    match connect(dir, "link.sock").await? {
        Some(stream) => match process_behind(&stream) {
            Err(e) if is_gone(&e) => Ok(None),
            found => found.map(Some),
        },
        None => Ok(None),
    }
}

/// Asks init who it is.
pub(super) async fn status(
    dir: &BoxDir,
    fence: u64,
    deadline: Duration,
) -> Result<Status, LinkError> {
    let ask = async {
        let stream = connect(dir, "link.sock")
            .await
            .and_then(|stream| stream.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()))
            .map_err(|e| LinkError::Broken(e.into()))?;
        Link::open(stream, fence).await?.status().await
    };
    tokio::time::timeout(deadline, ask)
        .await
        .unwrap_or_else(|_| Err(LinkError::Broken("init did not answer in time".into())))
}
