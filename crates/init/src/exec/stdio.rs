//! A command's standard descriptors: three pipes, or one terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use smartbox_link::wire::TtySize;

use crate::process::Port;

/// Both sides.
pub(crate) struct Stdio {
    /// The command's.
    pub(crate) theirs: [OwnedFd; 3],
    pub(crate) ours: Ours,
}

/// Init's side. A terminal is all of it at once.
pub(crate) struct Ours {
    pub(crate) stdin: Arc<Port>,
    pub(crate) stdout: Arc<Port>,
    pub(crate) stderr: Option<Arc<Port>>,
}

/// Opens pipes or a terminal.
pub(crate) fn open(tty: Option<TtySize>) -> io::Result<Stdio> {
    let Some(size) = tty else {
        let (stdin, to_stdin) = pipe_with(PipeFlags::CLOEXEC)?;
        let (from_stdout, stdout) = pipe_with(PipeFlags::CLOEXEC)?;
        let (from_stderr, stderr) = pipe_with(PipeFlags::CLOEXEC)?;
        return Ok(Stdio {
            theirs: [stdin, stdout, stderr],
            ours: Ours {
                stdin: Arc::new(Port::new(to_stdin)?),
                stdout: Arc::new(Port::new(from_stdout)?),
                stderr: Some(Arc::new(Port::new(from_stderr)?)),
            },
        });
    };
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    resize(&slave, size)?;
    let theirs = [slave.try_clone()?, slave.try_clone()?, slave];
    let port = Arc::new(Port::new(master)?);
    Ok(Stdio { theirs, ours: Ours { stdin: Arc::clone(&port), stdout: port, stderr: None } })
}

/// Tells the terminal its size; who runs on it gets a signal by the kernel.
pub(crate) fn resize(terminal: impl std::os::fd::AsFd, size: TtySize) -> io::Result<()> {
    let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(terminal, size)?)
}
