//! The one system call that no safe wrapper offers.

use std::io;

/// Closes every descriptor from `first` on.
pub(super) fn close_from(first: u32) -> io::Result<()> {
    #[expect(unsafe_code, reason = "close_range(2) has no wrapper")]
    // SAFETY: it is called before this process has opened anything, so that nothing of ours is closed;
    // no memory is passed.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
