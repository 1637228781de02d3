//! What came in, before anybody knows where it belongs: files and directories beneath a directory that is
//! ours alone, and links as mere words. As long as none is made, no path beneath it leads out.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use smartbox_core::home::port::FileError;
use smartbox_core::moves::Found;

use super::{DEPTH, ENTRIES, LEAST, PATH, failed, refused};
use crate::error::ControlError;

const DOING: &str = "writing what is imported";

/// What kind of thing came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    File,
    Directory,
    /// And where it says that it leads.
    Link(Vec<u8>),
    /// Something of the same name came later.
    Gone,
}

/// A thing that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) path: Vec<u8>,
    pub(super) what: What,
    pub(super) size: u64,
    pub(super) mode: u32,
    /// Of a file's bytes or a link's target.
    pub(super) sha256: [u8; 32],
}

/// A file on its way in.
pub(super) struct Head {
    pub(super) path: Vec<u8>,
    pub(super) mode: u32,
    /// Seconds since 1970.
    pub(super) modified: u64,
}

/// Everything that came, in its order.
pub(super) struct Raw {
    pub(super) root: PathBuf,
    pub(super) items: Vec<Item>,
    /// What was passed over, and why.
    pub(super) passed: Vec<(Vec<u8>, &'static str)>,
    known: HashMap<Vec<u8>, usize>,
    /// Bytes that may still come.
    room: u64,
}

impl Raw {
    pub(super) fn new(root: PathBuf, room: u64) -> Result<Self, ControlError> {
        fs::DirBuilder::new().mode(0o700).create(&root).map_err(|e| failed(DOING, e))?;
        Ok(Self { root, items: Vec::new(), passed: Vec::new(), known: HashMap::new(), room })
    }

    pub(super) fn found(&self) -> Vec<Found> {
        let files =
            self.items.iter().filter(|item| matches!(item.what, What::File | What::Link(_)));
        files.map(|item| Found::new(item.path.clone(), item.size)).collect()
    }

    pub(super) fn at(&self, path: &[u8]) -> PathBuf {
        self.root.join(OsStr::from_bytes(path))
    }

    pub(super) fn pass(&mut self, path: Vec<u8>, why: &'static str) -> Result<(), ControlError> {
        self.count(LEAST)?;
        self.passed.push((path, why));
        Ok(())
    }

    /// The first bytes of a file that came, if it is there and no longer than that.
    pub(super) fn small(&self, path: &[u8], most: u64) -> Option<Vec<u8>> {
        let item = self.items.get(*self.known.get(path)?)?;
        if item.what != What::File || item.size > most {
            return None;
        }
        fs::read(self.at(path)).ok()
    }

    pub(super) fn directory(&mut self, path: Vec<u8>, mode: u32) -> Result<(), ControlError> {
        if path.is_empty() {
            return Ok(());
        }
        self.make(&path)?;
        self.add(Item { path, what: What::Directory, size: 0, mode, sha256: [0; 32] })
    }

    pub(super) fn link(&mut self, path: Vec<u8>, target: Vec<u8>) -> Result<(), ControlError> {
        if path.is_empty() || target.is_empty() || target.contains(&0) || target.len() > PATH {
            return Err(refused("a link in it leads nowhere", ""));
        }
        let sha256 = Sha256::digest(&target).into();
        self.replace(&path)?;
        self.add(Item { path, what: What::Link(target), size: 0, mode: 0o777, sha256 })
    }

    /// Another name of a file that came before; it becomes a file of its own.
    pub(super) fn same(&mut self, head: Head, as_path: &[u8]) -> Result<(), ControlError> {
        let known = self.known.get(as_path).and_then(|at| self.items.get(*at));
        if known.is_none_or(|item| item.what != What::File) {
            return Err(refused("a name in it stands for a file that is not in it", ""));
        }
        let file = File::open(self.at(as_path)).map_err(|e| failed(DOING, e))?;
        self.file(head, file)
    }

    pub(super) fn file(&mut self, head: Head, mut bytes: impl Read) -> Result<(), ControlError> {
        let Head { path, mode, modified } = head;
        if path.is_empty() {
            return Err(super::damaged());
        }
        if let Some(slash) = path.iter().rposition(|byte| *byte == b'/') {
            self.make(&path[..slash])?;
        }
        self.replace(&path)?;
        let fail = |e: io::Error| failed(DOING, e);
        let to = self.at(&path);
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to).map_err(fail)?;
        let (mut hash, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 256 << 10]);
        loop {
            let len = bytes.read(&mut buffer).map_err(fail)?;
            if len == 0 {
                break;
            }
            self.count(len as u64)?;
            hash.update(&buffer[..len]);
            file.write_all(&buffer[..len]).map_err(fail)?;
            size += len as u64;
        }
        // Set-user bits are no business of an archive's; its owner must be able to read and replace it.
        let mode = mode & 0o777 | 0o600;
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(fail)?;
        // A time that no file can have is no reason to refuse the file.
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(modified));
        let _ = time.map(|time| file.set_modified(time));
        let sha256 = hash.finalize().into();
        self.add(Item { path, what: What::File, size, mode, sha256 })
    }

    fn add(&mut self, item: Item) -> Result<(), ControlError> {
        self.count(LEAST)?;
        if self.items.len() + self.passed.len() >= ENTRIES {
            return Err(refused(format!("there are more than {ENTRIES} things in it"), ""));
        }
        self.known.insert(item.path.clone(), self.items.len());
        self.items.push(item);
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), ControlError> {
        self.room = self.room.checked_sub(bytes).ok_or(FileError::Full)?;
        Ok(())
    }

    /// Makes the directories of a path that are missing. All of them are ours: none is a link.
    fn make(&mut self, path: &[u8]) -> Result<(), ControlError> {
        if self.at(path).is_dir() {
            return Ok(());
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        for end in ends.chain([path.len()]) {
            // In the place of a file or a link that came before, as later parts of an archive count.
            let part = &path[..end];
            match fs::DirBuilder::new().mode(0o700).create(self.at(part)) {
                Ok(()) => self.count(LEAST)?,
                Err(_) if self.at(part).is_dir() => {}
                Err(e) => return Err(failed(DOING, e)),
            }
        }
        Ok(())
    }

    /// Takes away what came before under this name.
    fn replace(&mut self, path: &[u8]) -> Result<(), ControlError> {
        let Some(at) = self.known.remove(path) else { return Ok(()) };
        if self.items[at].what == What::Directory {
            return Err(refused("a name in it is a directory and a file", ""));
        }
        if self.items[at].what == What::File {
            fs::remove_file(self.at(path)).map_err(|e| failed(DOING, e))?;
        }
        self.items[at].what = What::Gone;
        Ok(())
    }
}

/// A path of an archive as one beneath a directory; the directory itself is empty.
pub(super) fn clean(path: &[u8]) -> Result<Vec<u8>, ControlError> {
    let shown = || String::from_utf8_lossy(&path[..path.len().min(200)]).into_owned();
    let hint = "an archive holds relative names that stay within it";
    if path.starts_with(b"/") || path.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return Err(refused(format!("a name in it leads out: {:?}", shown()), hint));
    }
    let parts: Vec<&[u8]> =
        path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    let long = path.len() > PATH || parts.iter().any(|part| part.len() > 255);
    if long || parts.len() > DEPTH || path.contains(&0) {
        return Err(refused(format!("a name in it is too long or too deep: {:?}", shown()), hint));
    }
    Ok(parts.join(&b'/'))
}

/// Removes a directory of ours. Absent is fine.
pub(super) fn remove(dir: &Path) -> Result<(), ControlError> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("tidying up", e)),
        _ => Ok(()),
    }
}
