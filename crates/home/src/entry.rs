//! What is known of a thing in a home.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Stat, fstat, readlinkat, statat};

use crate::beneath::{self, DIRECTORY};
use crate::path::Beneath;
use crate::{Fault, Home};

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// What is known of a thing in a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as the kernel has it.
    pub name: Vec<u8>,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Bytes, of a file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970, UTC.
    pub modified_ms: i64,
    /// Another one for every other content: inode, size, times of modification and change.
    pub tag: String,
    /// Where a link says that it leads.
    pub target: Option<Vec<u8>>,
}

impl Entry {
    pub(crate) fn of(name: &[u8], stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let tag = format!(
            "{:x}-{size:x}-{:x}.{:x}-{:x}.{:x}",
            stat.st_ino, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec
        );
        let millis = i64::try_from(stat.st_mtime_nsec / 1_000_000).unwrap_or(0);
        Self {
            name: name.to_vec(),
            kind,
            size: if kind == Kind::File { size } else { 0 },
            mode: stat.st_mode & 0o777,
            modified_ms: stat.st_mtime.saturating_mul(1000).saturating_add(millis),
            tag,
            target: None,
        }
    }

    /// Looks at a name in an open directory; a link is not followed.
    pub(crate) fn at(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Self, Fault> {
        let stat = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let mut entry = Self::of(name, &stat);
        if entry.kind == Kind::Link {
            // It may be another thing by now, which is as well.
            entry.target =
                readlinkat(dir, name, Vec::new()).ok().map(std::ffi::CString::into_bytes);
        }
        Ok(entry)
    }
}

impl Home {
    /// Looks at something. A link itself is seen, not what it leads to.
    pub fn look(&self, path: &Beneath) -> Result<Entry, Fault> {
        if path.names().is_empty() {
            return Ok(Entry::of(b"", &fstat(self.fd())?));
        }
        let parent = beneath::open(self.fd(), &path.parent(), DIRECTORY)?;
        Entry::at(parent.as_fd(), path.name())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_link_is_seen_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", dir.path().join("link")).unwrap();
        std::fs::write(dir.path().join("file"), "12345").unwrap();
        let home = Home::open(dir.path()).unwrap();
        let look = |path: &str| home.look(&Beneath::parse(path.as_bytes()).unwrap());
        let link = look("link").unwrap();
        assert_eq!((link.kind, link.target.as_deref()), (Kind::Link, Some(&b"/etc/passwd"[..])));
        let file = look("file").unwrap();
        assert_eq!((file.kind, file.size, file.target.clone()), (Kind::File, 5, None));
        assert_eq!(look("").unwrap().kind, Kind::Directory);
        assert_eq!(look("file/x"), Err(Fault::NotDirectory));
        assert_eq!(look("absent"), Err(Fault::Absent));
        std::fs::write(dir.path().join("file"), "123456").unwrap();
        assert_ne!(look("file").unwrap().tag, file.tag);
        assert!(Home::open(&Path::new("/nowhere").join("x")).is_err());
    }
}
