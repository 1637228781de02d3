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
    // The last two have handlers of Rust's (for stack overflows), so a process of the box could send
    // them; both at once are too much for the handlers' small stack, and the kernel then kills even
    // a PID 1. Real faults are not held up by a mask: they end init, as they should.
    let survive = [
        libc::SIGHUP,
        libc::SIGXFSZ,
        libc::SIGPIPE,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGSEGV,
        libc::SIGBUS,
    ];
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
        // The kernel's layout: number, errno, code, pid, uid, each of four bytes.
        let sender = Sender { code: field(8), pid: field(12), uid: field(16) };
        Ok(meaning(field(0), sender, is_first()))
    }
}

/// What the kernel tells of who sent a signal.
#[derive(Debug, Clone, Copy)]
struct Sender {
    code: i32,
    pid: i32,
    uid: i32,
}

impl Sender {
    /// A sender outside the PID namespace shows as pid 0 and code `SI_USER`; a process inside can
    /// fake the pid only with another code. But it can fill the queue of pending signals, and the
    /// kernel then delivers one with everything about its sender lost: all zeros. Nobody outside
    /// shows as uid 0, since the box's user namespace has none.
    fn is_outside(self) -> bool {
        self.code == libc::SI_USER && self.pid == 0 && self.uid != 0
    }
}

fn meaning(number: i32, sender: Sender, first: bool) -> Word {
    match number {
        libc::SIGCHLD => Word::Reap,
        libc::SIGTERM | libc::SIGINT if !first || sender.is_outside() => Word::End,
        _ => Word::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_the_box_cannot_end_its_pid_1() {
        let from = |code, pid, uid| Sender { code, pid, uid };
        let (user, queue) = (libc::SI_USER, libc::SI_QUEUE);
        assert_eq!(meaning(libc::SIGTERM, from(user, 42, 1000), true), Word::Nothing);
        assert_eq!(meaning(libc::SIGTERM, from(queue, 0, 1000), true), Word::Nothing);
        assert_eq!(meaning(libc::SIGTERM, from(user, 0, 0), true), Word::Nothing, "details lost");
        assert_eq!(meaning(libc::SIGTERM, from(user, 0, 65_534), true), Word::End);
        assert_eq!(meaning(libc::SIGTERM, from(user, 0, 1000), true), Word::End);
        assert_eq!(meaning(libc::SIGTERM, from(user, 42, 1000), false), Word::End);
        assert_eq!(meaning(libc::SIGCHLD, from(1, 42, 1000), true), Word::Reap);
    }
}
