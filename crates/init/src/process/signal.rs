//! Signals as something to read. They are blocked, so that no handler runs anywhere and children
//! (whose mask is cleared) inherit none.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

use super::Port;
use crate::boot::is_first;

/// The descriptor from which signals are read.
pub(crate) struct Signals(OwnedFd);

/// What a signal means to init.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// Some child ended.
    Reap,
    /// The platform asks init to end.
    End,
    /// Nothing: its sender has no say.
    Nothing,
}

/// Blocks the signals that init handles or must survive, and opens them for reading.
#[expect(unsafe_code, reason = "signal masks and signalfd are the C library's")]
pub(crate) fn take() -> io::Result<Signals> {
    let read = [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT];
    let survive = [libc::SIGHUP, libc::SIGXFSZ, libc::SIGPIPE, libc::SIGUSR1, libc::SIGUSR2];
    // SAFETY: the sets are initialised by `sigemptyset` before use and outlive the calls.
    let fd = unsafe {
        let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(mask.as_mut_ptr());
        for signal in read {
            libc::sigaddset(mask.as_mut_ptr(), signal);
        }
        let mut blocked = mask;
        for signal in survive {
            libc::sigaddset(blocked.as_mut_ptr(), signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, blocked.as_ptr(), std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::signalfd(-1, mask.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned it as new; nobody else owns it.
    Ok(Signals(unsafe { OwnedFd::from_raw_fd(fd) }))
}

impl Signals {
    /// Hands the descriptor to the reactor.
    pub(crate) fn listen(self) -> io::Result<Ear> {
        Ok(Ear(Port::new(self.0)?))
    }
}

/// Signals, as they come.
pub(crate) struct Ear(Port);

impl Ear {
    /// Waits for the next signal.
    pub(crate) async fn next(&self) -> io::Result<Word> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        if self.0.read(&mut bytes).await? < bytes.len() {
            return Ok(Word::Nothing);
        }
        let field = |at: usize| {
            i32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        // The kernel's layout: number, errno, code, pid, each of four bytes.
        Ok(meaning(field(0), field(8), field(12), is_first()))
    }
}

/// A sender outside the PID namespace shows as pid 0 and code `SI_USER`; a process inside can fake
/// the pid only with another code.
fn meaning(number: i32, code: i32, pid: i32, first: bool) -> Word {
    match number {
        libc::SIGCHLD => Word::Reap,
        libc::SIGTERM | libc::SIGINT if !first || (code == libc::SI_USER && pid == 0) => Word::End,
        _ => Word::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_the_box_cannot_end_its_pid_1() {
        assert_eq!(meaning(libc::SIGTERM, libc::SI_USER, 42, true), Word::Nothing);
        assert_eq!(meaning(libc::SIGTERM, libc::SI_QUEUE, 0, true), Word::Nothing);
        assert_eq!(meaning(libc::SIGTERM, libc::SI_USER, 0, true), Word::End);
        assert_eq!(meaning(libc::SIGTERM, libc::SI_USER, 42, false), Word::End);
        assert_eq!(meaning(libc::SIGCHLD, 1, 42, true), Word::Reap);
    }
}
