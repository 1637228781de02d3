//! Directories made, things renamed and removed.

use std::ffi::CString;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags, fsync, mkdirat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use crate::beneath::{self, DIRECTORY, PRIVATE};
use crate::destroy::remove_tree;
use crate::draft::Condition;
use crate::entry::{Entry, Kind};
use crate::path::Beneath;
use crate::{Fault, Home, staging};

impl Home {
    /// Makes a directory; with `parents`, what is missing on the way too, and one that is there is
    /// fine.
    pub fn make_directory(&self, path: &Beneath, parents: bool) -> Result<Entry, Fault> {
        if parents {
            beneath::make_all(self.fd(), path)?;
            return self.look(path);
        }
        let parent = beneath::open(self.fd(), &path.parent(), DIRECTORY)?;
        mkdirat(&parent, path.name(), PRIVATE)?;
        fsync(&parent)?;
        Entry::at(parent.as_fd(), path.name())
    }

    /// Gives something another name. Without `replace` nothing may be there.
    pub fn rename(&self, from: &Beneath, to: &Beneath, replace: bool) -> Result<Entry, Fault> {
        let source = beneath::open(self.fd(), &from.parent(), DIRECTORY)?;
        let target = beneath::open(self.fd(), &to.parent(), DIRECTORY)?;
        let (old, new) = (from.name(), to.name());
        let done = if replace {
            renameat(&source, old, &target, new)
        } else {
            renameat_with(&source, old, &target, new, RenameFlags::NOREPLACE)
        };
        match done {
            Err(Errno::INVAL) => return Err(Fault::Bad("a directory cannot move into itself")),
            other => other?,
        }
        fsync(&target)?;
        fsync(&source)?;
        Entry::at(target.as_fd(), new)
    }

    /// Removes a file, a link or an empty directory; with `recursive`, a directory with everything
    /// in it. Links are removed, never followed.
    pub fn remove(
        &self,
        path: &Beneath,
        recursive: bool,
        condition: &Condition,
    ) -> Result<(), Fault> {
        let parent = beneath::open(self.fd(), &path.parent(), DIRECTORY)?;
        let entry = Entry::at(parent.as_fd(), path.name())?;
        condition.check(Some(&entry))?;
        if entry.kind != Kind::Directory {
            unlinkat(&parent, path.name(), AtFlags::empty())?;
        } else if recursive {
            self.remove_all(&parent, path.name())?;
        } else {
            match unlinkat(&parent, path.name(), AtFlags::REMOVEDIR) {
                Err(Errno::EXIST) => return Err(Fault::NotEmpty),
                other => other?,
            }
        }
        Ok(fsync(&parent)?)
    }

    /// It disappears at once and is taken down out of sight; a removal that is cut off goes on at the
    /// next sweep.
    fn remove_all(&self, parent: &impl AsFd, name: &[u8]) -> Result<(), Fault> {
        let out_of_sight = staging::open(self.fd()).and_then(|staging| {
            let aside = staging::fresh()?;
            renameat(parent, name, &staging, aside.as_str())?;
            Ok((staging, aside))
        });
        match out_of_sight {
            Ok((staging, aside)) => {
                let aside = CString::new(aside).map_err(|_| Fault::Bad("a name holds a NUL"))?;
                remove_tree(staging.as_fd(), &aside)
            }
            Err(Fault::Absent) => Err(Fault::Absent),
            // A disk that is full has no room for another directory, and this may be `.smartbox` itself.
            Err(_) => {
                let name = CString::new(name).map_err(|_| Fault::Bad("a name holds a NUL"))?;
                remove_tree(parent.as_fd(), &name)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> Beneath {
        Beneath::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_tree_goes_and_what_its_links_lead_to_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (at, out) = (dir.path().join("home"), dir.path().join("out"));
        std::fs::create_dir_all(at.join("tree/a/b")).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("kept"), "x").unwrap();
        symlink("../../out", at.join("tree/link")).unwrap();
        symlink("../out", at.join("link")).unwrap();
        let home = Home::open(&at).unwrap();
        assert_eq!(home.remove(&path("tree"), false, &Condition::Any), Err(Fault::NotEmpty));
        home.remove(&path("tree"), true, &Condition::Any).unwrap();
        assert_eq!(home.remove(&path("link/kept"), true, &Condition::Any), Err(Fault::Outside));
        home.remove(&path("link"), true, &Condition::Any).unwrap();
        assert!(out.join("kept").exists() && !at.join("tree").exists());
        assert_eq!(std::fs::read_dir(at.join(".smartbox/incoming")).unwrap().count(), 0);
        home.remove(&path(".smartbox"), true, &Condition::Any).unwrap();
        assert!(!at.join(".smartbox").exists());
    }

    #[test]
    fn names_change_within_the_home_only() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("home");
        std::fs::create_dir(&at).unwrap();
        symlink("..", at.join("up")).unwrap();
        std::fs::write(at.join("a"), "a").unwrap();
        std::fs::write(at.join("b"), "b").unwrap();
        let home = Home::open(&at).unwrap();
        assert_eq!(home.rename(&path("a"), &path("b"), false), Err(Fault::Exists));
        assert_eq!(home.rename(&path("a"), &path("up/a"), true), Err(Fault::Outside));
        assert_eq!(home.rename(&path("a"), &path("b"), true).unwrap().name, b"b");
        home.make_directory(&path("x/y"), true).unwrap();
        home.make_directory(&path("x/y"), true).unwrap();
        assert_eq!(home.make_directory(&path("x/y"), false), Err(Fault::Exists));
        assert_eq!(home.make_directory(&path("no/y"), false), Err(Fault::Absent));
        assert_eq!(home.make_directory(&path("b"), true), Err(Fault::NotDirectory));
        assert!(matches!(home.rename(&path("x"), &path("x/y/z"), true), Err(Fault::Bad(_))));
        assert_eq!(home.make_directory(&path("up/made"), true), Err(Fault::Outside));
        assert!(!dir.path().join("made").exists() && !dir.path().join("a").exists());
    }
}
