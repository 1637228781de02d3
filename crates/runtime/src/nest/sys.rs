//! The few system calls that no safe wrapper offers.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Read-only, for [`set_mount_attributes`].
pub(super) const RDONLY: u64 = libc::MOUNT_ATTR_RDONLY;
/// No setuid programs.
pub(super) const NOSUID: u64 = libc::MOUNT_ATTR_NOSUID;
/// No devices.
pub(super) const NODEV: u64 = libc::MOUNT_ATTR_NODEV;
/// No programs.
pub(super) const NOEXEC: u64 = libc::MOUNT_ATTR_NOEXEC;

fn done(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks, with the caller's parent as the child's parent. Returns 0 in the child.
///
/// The caller must be single-threaded.
pub(super) fn fork_sibling() -> io::Result<i32> {
    clone(libc::CLONE_PARENT | libc::SIGCHLD)
}

/// Forks. The caller must be single-threaded.
pub(super) fn fork() -> io::Result<i32> {
    clone(libc::SIGCHLD)
}

fn clone(flags: i32) -> io::Result<i32> {
    #[expect(unsafe_code, reason = "clone(2) has no wrapper")]
    // SAFETY: without CLONE_VM and with a null stack this is fork(2); the process has one thread,
    // so the child's copy of the heap and of every lock is consistent.
    let result = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    done(result).map(|pid| i32::try_from(pid).unwrap_or(-1))
}

/// Adds attributes to a mount; with `deep`, to every mount beneath it too.
pub(super) fn set_mount_attributes(path: &CStr, deep: bool, add: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: add, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = if deep { libc::AT_RECURSIVE } else { 0 };
    #[expect(unsafe_code, reason = "mount_setattr(2) has no wrapper")]
    // SAFETY: the path is NUL-terminated and the structure is valid for its stated size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    done(result).map(drop)
}

/// Brings the loopback interface of the present network namespace up.
pub(super) fn loopback_up(socket: impl AsFd) -> io::Result<()> {
    #[expect(unsafe_code, reason = "ifreq is a plain C structure")]
    // SAFETY: all-zero bytes are a valid ifreq.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = i8::try_from(b'l').unwrap_or_default();
    request.ifr_name[1] = i8::try_from(b'o').unwrap_or_default();
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or(0);
    let fd = socket.as_fd().as_raw_fd();
    #[expect(unsafe_code, reason = "SIOCSIFFLAGS has no wrapper")]
    // SAFETY: the descriptor is open and the request is a valid ifreq that outlives the call.
    let result = unsafe { libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw const request) };
    done(result.into()).map(drop)
}

/// Leaves the session keyring of whoever started us for a new, empty one.
pub(super) fn new_keyring() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    #[expect(unsafe_code, reason = "keyctl(2) has no wrapper")]
    // SAFETY: a null name asks for an anonymous keyring; no memory is passed.
    let result = unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, 0) };
    done(result).map(drop)
}

/// Makes `fd` the descriptor number `number`, kept across `execve`.
pub(super) fn place(fd: impl AsFd, number: i32) -> io::Result<()> {
    #[expect(unsafe_code, reason = "dup2(2) onto a number that nobody owns")]
    // SAFETY: the caller owns no other object of that number; see `child::arrange`.
    let result = unsafe { libc::dup2(fd.as_fd().as_raw_fd(), number) };
    done(result.into()).map(drop)
}

/// Closes every descriptor from `first` on at the next `execve`.
pub(super) fn close_from(first: i32) -> io::Result<()> {
    #[expect(unsafe_code, reason = "close_range(2) has no wrapper")]
    // SAFETY: with CLOSE_RANGE_CLOEXEC nothing is closed now; no memory is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    done(result).map(drop)
}

/// Replaces this process by `program`, with one argument and an empty environment.
pub(super) fn exec(program: &CStr) -> io::Error {
    let argv = [program.as_ptr(), std::ptr::null()];
    let env = [std::ptr::null::<libc::c_char>()];
    #[expect(unsafe_code, reason = "execve(2) with an empty environment")]
    // SAFETY: both arrays are NULL-terminated and their strings outlive the call.
    unsafe {
        libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr());
    }
    io::Error::last_os_error()
}
