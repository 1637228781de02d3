//! A command's standard descriptors: three pipes, or one terminal.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, kill_process_group};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetpgrp, tcsetwinsize};
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
    /// The command's side of a terminal. While it is open here, a command may close all of its own
    /// and open `/dev/tty` again, and what it then writes still arrives.
    pub(crate) held: Option<OwnedFd>,
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
                held: None,
            },
        });
    };
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    resize(&slave, size)?;
    let theirs = [slave.try_clone()?, slave.try_clone()?, slave.try_clone()?];
    let port = Arc::new(Port::new(master)?);
    let ours = Ours { stdin: Arc::clone(&port), stdout: port, stderr: None, held: Some(slave) };
    Ok(Stdio { theirs, ours })
}

/// The most columns and rows of a terminal: programs lay out memory by them.
const MOST: u16 = 4096;

/// Tells the terminal its size; who runs on it gets a signal by the kernel.
pub(crate) fn resize(terminal: impl AsFd, size: TtySize) -> io::Result<()> {
    let (ws_row, ws_col) = (size.rows.clamp(1, MOST), size.cols.clamp(1, MOST));
    Ok(tcsetwinsize(terminal, Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 })?)
}

/// Sends a signal to whatever has the terminal now: what its keys would do.
pub(crate) fn signal_foreground(terminal: impl AsFd, signal: Signal) {
    if let Ok(group) = tcgetpgrp(terminal) {
        let _ = kill_process_group(group, signal);
    }
}
