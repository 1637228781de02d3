//! The few system calls of the driver that no safe wrapper offers.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

const SO_PEERPIDFD: i32 = 77;
const LANDLOCK_VERSION: libc::c_uint = 1;

/// A descriptor of the process that listens at the other end of a Unix socket (Linux 6.5).
pub(super) fn peer_pidfd(socket: impl AsFd) -> io::Result<OwnedFd> {
    let mut fd: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of_val(&fd)).unwrap_or(4);
    #[expect(unsafe_code, reason = "SO_PEERPIDFD has no wrapper")]
    // SAFETY: `fd` and `length` are valid for writes of the stated size.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PEERPIDFD,
            (&raw mut fd).cast(),
            &raw mut length,
        )
    };
    if result != 0 || fd < 0 {
        return Err(io::Error::last_os_error());
    }
    #[expect(unsafe_code, reason = "the kernel has just made this descriptor for us")]
    // SAFETY: it is open and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A descriptor whose becoming readable can be awaited.
pub(super) fn awaited(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(unsafe_code, reason = "registering any descriptor is unsafe in general")]
    // SAFETY: an `OwnedFd` always answers with the same descriptor, and the `AsyncFd` owns it.
    let registered = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    registered.map_err(|e| e.into_parts().1)
}

/// What the kernel is told of another process's memory (madvise(2)).
#[derive(Debug, Clone, Copy)]
pub(super) enum Advice {
    /// Push it to swap.
    PageOut,
    /// Read it: it will be needed.
    WillNeed,
}

/// Advises on these ranges (address, length) of a process, at most 1024 at a time. The kernel stops at
/// the first that it cannot take and says how many bytes it got through before.
pub(super) fn advise(
    pidfd: impl AsFd,
    ranges: &[(usize, usize)],
    advice: Advice,
) -> io::Result<usize> {
    let advice = match advice {
        Advice::PageOut => libc::MADV_PAGEOUT,
        Advice::WillNeed => libc::MADV_WILLNEED,
    };
    let vectors: Vec<libc::iovec> = ranges
        .iter()
        .map(|(start, length)| libc::iovec {
            iov_base: std::ptr::without_provenance_mut(*start),
            iov_len: *length,
        })
        .collect();
    #[expect(unsafe_code, reason = "process_madvise(2) has no wrapper")]
    // SAFETY: the vector array is valid; the addresses in it are another process's and are not
    // dereferenced here. Neither advice changes contents.
    let result = unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            pidfd.as_fd().as_raw_fd(),
            vectors.as_ptr(),
            vectors.len(),
            advice,
            0,
        )
    };
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// The version of Landlock that the kernel has; 0 for none.
pub(super) fn landlock_version() -> i64 {
    #[expect(unsafe_code, reason = "asking for the version needs the bare call")]
    // SAFETY: with this flag the kernel reads no memory.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0,
            LANDLOCK_VERSION,
        )
    };
    version.max(0)
}

/// While it lives, this thread touches files as another user; every other thread as before.
pub(super) struct FileUser {
    before: Option<(u32, u32)>,
}

impl FileUser {
    /// Becomes the user for files, and with that loses root's rights over them. `None` stays who we are.
    pub(super) fn become_user(user: Option<(u32, u32)>) -> io::Result<Self> {
        let Some((uid, gid)) = user else { return Ok(Self { before: None }) };
        let before = (set_file_uid(u32::MAX), set_file_gid(u32::MAX));
        // Dropped, and so undone, if the second does not work.
        let becoming = Self { before: Some(before) };
        set_file_gid(gid);
        set_file_uid(uid);
        // These calls report no error: asking again does.
        if (set_file_uid(u32::MAX), set_file_gid(u32::MAX)) == (uid, gid) {
            Ok(becoming)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

impl Drop for FileUser {
    fn drop(&mut self) {
        if let Some((uid, gid)) = self.before {
            set_file_uid(uid);
            set_file_gid(gid);
        }
    }
}

/// Changes the uid that this thread touches files as, and says what it was.
fn set_file_uid(uid: u32) -> u32 {
    #[expect(unsafe_code, reason = "setfsuid(2) has no wrapper")]
    // SAFETY: no memory is passed; it concerns this thread alone.
    let before = unsafe { libc::setfsuid(uid) };
    before.cast_unsigned()
}

fn set_file_gid(gid: u32) -> u32 {
    #[expect(unsafe_code, reason = "setfsgid(2) has no wrapper")]
    // SAFETY: no memory is passed; it concerns this thread alone.
    let before = unsafe { libc::setfsgid(gid) };
    before.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_thread_is_another_user_for_files_and_itself_again_afterwards() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(dir.path(), Some(4711), Some(4712)).unwrap();
        std::fs::write(dir.path().join("roots"), "x").unwrap();
        let owner = |name: &str| {
            let meta = std::fs::metadata(dir.path().join(name)).unwrap();
            (meta.uid(), meta.gid())
        };
        {
            let _user = FileUser::become_user(Some((4711, 4712))).unwrap();
            std::fs::write(dir.path().join("theirs"), "x").unwrap();
            // Root's rights over files are gone with root.
            assert!(std::fs::write("/etc/smartbox-test", "x").is_err());
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            assert!(std::fs::set_permissions(dir.path().join("roots"), mode).is_err());
            let other = std::thread::spawn(|| set_file_uid(u32::MAX));
            assert_ne!(other.join().unwrap(), 0, "a thread begins as who started it");
        }
        std::fs::write(dir.path().join("ours"), "x").unwrap();
        assert_eq!((owner("theirs"), owner("ours")), ((4711, 4712), (0, 0)));
    }
}
