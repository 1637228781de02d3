//! Writes a file whole or not at all: it comes in under a name of its own, is flushed and renamed.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, RenameFlags, fchmod, fsync, renameat, renameat_with, unlinkat};

use crate::entry::{Entry, Kind};
use crate::path::Beneath;
use crate::{Fault, Home, beneath, staging};

/// What must be there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Whatever.
    Any,
    /// Nothing.
    Absent,
    /// Something.
    Present,
    /// One of these, by [`Entry::tag`].
    OneOf(Vec<String>),
}

impl Condition {
    /// Whether it holds for what is there.
    pub fn check(&self, found: Option<&Entry>) -> Result<(), Fault> {
        match (self, found) {
            (Self::Absent, Some(_)) => Err(Fault::Exists),
            (Self::Present | Self::OneOf(_), None) => Err(Fault::Changed),
            (Self::OneOf(tags), Some(entry)) if !tags.contains(&entry.tag) => Err(Fault::Changed),
            _ => Ok(()),
        }
    }
}

/// How to write a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Permission bits; those of the file that it replaces, or 0600, if none are given.
    pub mode: Option<u32>,
    /// Whether to make directories that are missing.
    pub parents: bool,
    /// What must be there before.
    pub condition: Condition,
    /// Bytes at the most.
    pub room: u64,
}

/// A file on its way. Dropped before it is placed, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    home: Home,
    staging: OwnedFd,
    file: File,
    temporary: Option<String>,
    path: Beneath,
    order: Order,
}

impl Home {
    /// Begins a file. Nothing is seen of it before [`Draft::place`].
    pub fn write(&self, path: Beneath, order: Order) -> Result<Draft, Fault> {
        if order.mode.is_some_and(|mode| mode & !0o777 != 0) {
            return Err(Fault::Bad("the mode holds more than permission bits"));
        }
        // Said before the first byte comes, though only `place` decides.
        match beneath::open_parent(self.fd(), &path, false) {
            Ok(parent) => found(&parent, &path, &order.condition).map(drop)?,
            Err(rustix::io::Errno::NOENT) if order.parents => order.condition.check(None)?,
            Err(other) => return Err(other.into()),
        }
        let staging = staging::open(self.fd())?;
        staging::sweep(staging.as_fd())?;
        let (file, temporary) = staging::create(staging.as_fd())?;
        let (home, temporary) = (self.clone(), Some(temporary));
        Ok(Draft { home, staging, file, temporary, path, order })
    }
}

/// What is in the file's place, if it may be replaced.
fn found(parent: &OwnedFd, path: &Beneath, condition: &Condition) -> Result<Option<Entry>, Fault> {
    let entry = match Entry::at(parent.as_fd(), path.name()) {
        Err(Fault::Absent) => None,
        other => Some(other?),
    };
    condition.check(entry.as_ref())?;
    match entry {
        Some(entry) if entry.kind == Kind::Directory => Err(Fault::IsDirectory),
        entry => Ok(entry),
    }
}

impl Draft {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.order.room = self.order.room.checked_sub(bytes.len() as u64).ok_or(Fault::Full)?;
        Ok(self.file.write_all(bytes)?)
    }

    /// Puts the file in its place and says what is there now.
    pub fn place(mut self) -> Result<Entry, Fault> {
        let Some(temporary) = self.temporary.clone() else { return Err(Fault::Absent) };
        self.file.sync_all()?;
        let parent = beneath::open_parent(self.home.fd(), &self.path, self.order.parents)?;
        let before = found(&parent, &self.path, &self.order.condition)?;
        let kept = before.filter(|entry| entry.kind == Kind::File).map(|entry| entry.mode);
        let mode = self.order.mode.or(kept).unwrap_or(0o600);
        fchmod(&self.file, Mode::from_raw_mode(mode))?;
        if !staging::is(self.staging.as_fd(), temporary.as_bytes(), &self.file) {
            return Err(Fault::Changed);
        }
        let (from, to) = (temporary.as_str(), self.path.name());
        match self.order.condition {
            Condition::Absent => {
                renameat_with(&self.staging, from, &parent, to, RenameFlags::NOREPLACE)?;
            }
            _ => renameat(&self.staging, from, &parent, to)?,
        }
        self.temporary = None;
        // Flushed on its way here: the mode and the names remain.
        self.file.sync_all()?;
        fsync(&parent)?;
        fsync(&self.staging)?;
        Ok(Entry::of(to, &rustix::fs::fstat(&self.file)?))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = unlinkat(&self.staging, temporary.as_str(), AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    use super::*;

    fn order() -> Order {
        Order { mode: None, parents: true, condition: Condition::Any, room: 1 << 20 }
    }

    fn write(home: &Home, path: &str, order: Order, bytes: &[u8]) -> Result<Entry, Fault> {
        let mut draft = home.write(Beneath::named(path.as_bytes(), true)?, order)?;
        draft.add(bytes)?;
        draft.place()
    }

    fn incoming(dir: &Path) -> usize {
        std::fs::read_dir(dir.join(".smartbox/incoming")).unwrap().count()
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let first = write(&home, "a/b/file", order(), b"one").unwrap();
        assert_eq!((first.size, first.mode), (3, 0o600));
        let set = std::fs::Permissions::from_mode(0o750);
        std::fs::set_permissions(dir.path().join("a/b/file"), set).unwrap();
        let second = write(&home, "a/b/file", order(), b"second").unwrap();
        assert_eq!((second.size, second.mode), (6, 0o750), "the mode stays");

        let mut half = home.write(Beneath::parse(b"a/b/file").unwrap(), order()).unwrap();
        half.add(b"half").unwrap();
        assert_eq!(incoming(dir.path()), 1);
        drop(half);
        assert_eq!(incoming(dir.path()), 0);
        assert_eq!(std::fs::read(dir.path().join("a/b/file")).unwrap(), b"second");
        assert_eq!(write(&home, "big", Order { room: 3, ..order() }, b"four"), Err(Fault::Full));
        assert!(!dir.path().join("big").exists() && incoming(dir.path()) == 0);
        let parents = Order { parents: false, ..order() };
        assert_eq!(write(&home, "no/such/dir", parents, b"x"), Err(Fault::Absent));
        assert_eq!(write(&home, "a", order(), b"x"), Err(Fault::IsDirectory));
    }

    #[test]
    fn conditions_hold_to_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let with = |condition| Order { condition, ..order() };
        let first = write(&home, "f", with(Condition::Absent), b"one").unwrap();
        assert_eq!(write(&home, "f", with(Condition::Absent), b"x"), Err(Fault::Exists));
        assert_eq!(write(&home, "g", with(Condition::Present), b"x"), Err(Fault::Changed));
        let same = || Condition::OneOf(vec![first.tag.clone()]);
        // Somebody else writes between beginning and end.
        let late = home.write(Beneath::parse(b"f").unwrap(), with(same())).unwrap();
        write(&home, "f", with(same()), b"two").unwrap();
        assert_eq!(late.place(), Err(Fault::Changed));
        let fresh = home.write(Beneath::parse(b"n").unwrap(), with(Condition::Absent)).unwrap();
        std::fs::write(dir.path().join("n"), "the box's").unwrap();
        assert_eq!(fresh.place(), Err(Fault::Exists));
        assert_eq!(std::fs::read(dir.path().join("n")).unwrap(), b"the box's");
        assert_eq!(incoming(dir.path()), 0);
    }

    #[test]
    fn what_a_killed_writer_left_goes_and_what_is_written_stays() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let live = home.write(Beneath::parse(b"live").unwrap(), order()).unwrap();
        // A dead process holds no lock.
        std::fs::write(dir.path().join(".smartbox/incoming/rest"), "half").unwrap();
        std::fs::create_dir_all(dir.path().join(".smartbox/incoming/tree/deep")).unwrap();
        symlink("/etc/passwd", dir.path().join(".smartbox/incoming/link")).unwrap();
        assert_eq!(home.sweep().unwrap(), 3);
        assert_eq!(incoming(dir.path()), 1);
        live.place().unwrap();
        assert!(Path::new("/etc/passwd").exists() && dir.path().join("live").exists());
    }

    #[test]
    fn a_link_in_the_staging_directorys_place_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let (home, out) = (dir.path().join("home"), dir.path().join("out"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(out.join("incoming")).unwrap();
        symlink("../out", home.join(".smartbox")).unwrap();
        let open = Home::open(&home).unwrap();
        assert!(matches!(write(&open, "f", order(), b"x"), Err(Fault::Bad(_))));
        assert!(matches!(open.sweep(), Err(Fault::Bad(_))));
        assert_eq!(std::fs::read_dir(out.join("incoming")).unwrap().count(), 0);
    }
}
