//! A simulated home: files in memory. No links, no owners; directories are names that end in a slash.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use smartbox_core::home::port::{FileDraft, FileError, Homes, OpenFile};
use smartbox_core::home::{
    FileChange, FileEntry, FileKind, FilePage, FilePath, HomeOf, Precondition, WriteOrder,
};
use smartbox_core::time::Timestamp;
use smartbox_core::{BoxFuture, BoxStream};
use smartbox_home::{Beneath, Condition, Fault};

use super::{Call, Sim};
use crate::files::{condition, explain};

/// It outlives its sandboxes.
pub(super) type Home = Arc<Mutex<Files>>;

/// The files of a home, by path.
#[derive(Default)]
pub(super) struct Files {
    files: BTreeMap<String, File>,
    changes: u64,
    /// Whether there is a home at all, be it empty.
    made: bool,
}

#[derive(Clone)]
struct File {
    bytes: Bytes,
    mode: u32,
    change: u64,
}

impl Files {
    pub(super) fn get(&self, path: &str) -> Option<Bytes> {
        self.files.get(path).map(|file| file.bytes.clone())
    }

    pub(super) fn put(&mut self, path: &str, bytes: Bytes, mode: Option<u32>) {
        self.changes += 1;
        self.made = true;
        let before = self.files.get(path).map(|file| file.mode);
        let mode = mode.or(before).unwrap_or(0o600);
        self.files.insert(path.to_owned(), File { bytes, mode, change: self.changes });
    }

    pub(super) fn make(&mut self) {
        self.made = true;
    }

    pub(super) fn is_made(&self) -> bool {
        self.made
    }

    /// Everything in it: a path, its bytes and its mode. Paths of directories end in a slash.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Bytes, u32)> {
        self.files.iter().map(|(path, file)| (path.as_str(), &file.bytes, file.mode))
    }

    /// Another home in place of this one.
    pub(super) fn replace(&mut self, found: Vec<(String, Bytes, u32)>) {
        self.files.clear();
        self.made = true;
        for (path, bytes, mode) in found {
            self.put(&path, bytes, Some(mode));
        }
    }

    pub(super) fn forget(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// What is beneath a directory, its own mark included.
    fn beneath(&self, dir: &str) -> Vec<String> {
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        self.files.keys().filter(|key| key.starts_with(&prefix)).cloned().collect()
    }

    fn look(&self, path: &str) -> Result<FileEntry, Fault> {
        let name = path.rsplit('/').next().unwrap_or_default().as_bytes().to_vec();
        let entry = |kind, size, mode, change: u64| FileEntry {
            name: name.clone(),
            kind,
            size,
            mode,
            modified: Timestamp(0),
            tag: format!("{change:x}"),
            target: None,
        };
        if let Some(file) = self.files.get(path) {
            return Ok(entry(FileKind::File, file.bytes.len() as u64, file.mode, file.change));
        }
        if path.is_empty() || !self.beneath(path).is_empty() {
            return Ok(entry(FileKind::Directory, 0, 0o700, 0));
        }
        let through = path.match_indices('/').any(|(at, _)| self.files.contains_key(&path[..at]));
        Err(if through { Fault::NotDirectory } else { Fault::Absent })
    }

    fn list(&self, path: &str) -> Result<Vec<FileEntry>, Fault> {
        if self.look(path)?.kind != FileKind::Directory {
            return Err(Fault::NotDirectory);
        }
        let from = if path.is_empty() { 0 } else { path.len() + 1 };
        let mut names: Vec<String> = self
            .beneath(path)
            .iter()
            .filter_map(|key| key[from..].split('/').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        let join = |name: String| if path.is_empty() { name } else { format!("{path}/{name}") };
        names.into_iter().map(|name| self.look(&join(name))).collect()
    }

    /// Whether a file may be put there now.
    fn may(&self, path: &str, parents: bool, condition: &Condition) -> Result<(), Fault> {
        if let Some((parent, _)) = path.rsplit_once('/') {
            match self.look(parent) {
                Ok(entry) if entry.kind != FileKind::Directory => return Err(Fault::NotDirectory),
                Err(Fault::Absent) if parents => {}
                other => drop(other?),
            }
        }
        let found = self.look(path);
        check(condition, found.as_ref().ok())?;
        match found {
            Ok(entry) if entry.kind == FileKind::Directory => Err(Fault::IsDirectory),
            Ok(_) | Err(Fault::Absent) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn change(&mut self, path: &str, change: FileChange) -> Result<Option<FileEntry>, Fault> {
        match change {
            FileChange::MakeDirectory { parents } => {
                match (self.look(path), parents) {
                    (Ok(entry), true) if entry.kind == FileKind::Directory => {}
                    (Ok(_), true) => return Err(Fault::NotDirectory),
                    (Ok(_), false) => return Err(Fault::Exists),
                    (Err(Fault::Absent), _) => {
                        if let (Some((parent, _)), false) = (path.rsplit_once('/'), parents) {
                            self.look(parent)?;
                        }
                        self.put(&format!("{path}/"), Bytes::new(), None);
                    }
                    (Err(other), _) => return Err(other),
                }
                self.look(path).map(Some)
            }
            FileChange::Rename { to, replace } => {
                let to = plain(&to, false)?;
                self.look(path)?;
                if !replace && self.look(&to).is_ok() {
                    return Err(Fault::Exists);
                }
                for key in self.beneath(path).into_iter().chain([path.to_owned()]) {
                    if let Some(file) = self.files.remove(&key) {
                        self.files.insert(format!("{to}{}", &key[path.len()..]), file);
                    }
                }
                self.look(&to).map(Some)
            }
            FileChange::Remove { recursive, condition: before } => {
                let entry = self.look(path)?;
                check(&condition(before), Some(&entry))?;
                let inner = self.beneath(path);
                if !recursive && inner.iter().any(|key| *key != format!("{path}/")) {
                    return Err(Fault::NotEmpty);
                }
                self.files.retain(|key, _| key != path && !inner.contains(key));
                Ok(None)
            }
        }
    }
}

/// As [`Condition::check`], for the entries of the port.
fn check(condition: &Condition, found: Option<&FileEntry>) -> Result<(), Fault> {
    match (condition, found) {
        (Condition::Absent, Some(_)) => Err(Fault::Exists),
        (Condition::Present | Condition::OneOf(_), None) => Err(Fault::Changed),
        (Condition::OneOf(tags), Some(entry)) if !tags.contains(&entry.tag) => Err(Fault::Changed),
        _ => Ok(()),
    }
}

fn plain(path: &FilePath, named: bool) -> Result<String, Fault> {
    let path = if named { Beneath::named(&path.0, true) } else { Beneath::parse(&path.0) }?;
    let text = String::from_utf8_lossy(&path.join()).into_owned();
    Ok(if text == "." { String::new() } else { text })
}

impl Sim {
    pub(super) fn home_of(&self, of: &HomeOf) -> Home {
        self.boxes().entry(of.smartbox.clone()).or_default().home.clone()
    }

    async fn in_home<T>(
        &self,
        of: &HomeOf,
        work: impl FnOnce(&mut Files) -> Result<T, Fault>,
    ) -> Result<T, FileError> {
        let failed = |source| FileError::Broken { doing: "working on a file", source };
        self.faults.before(Call::Files).await.map_err(|e| failed(e.into()))?;
        let home = self.home_of(of);
        let mut files = home.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut files).map_err(explain)
    }
}

impl Homes for Sim {
    fn look(&self, of: HomeOf, path: FilePath) -> BoxFuture<'_, Result<FileEntry, FileError>> {
        Box::pin(async move { self.in_home(&of, |files| files.look(&plain(&path, false)?)).await })
    }

    fn list(
        &self,
        of: HomeOf,
        path: FilePath,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FilePage, FileError>> {
        Box::pin(async move {
            let all = self.in_home(&of, |files| files.list(&plain(&path, false)?)).await?;
            let rest = all.into_iter().filter(|e| after.as_ref().is_none_or(|a| e.name > *a));
            let mut entries: Vec<FileEntry> = rest.take(limit + 1).collect();
            let more = entries.len() > limit;
            entries.truncate(limit);
            let next = if more { entries.last().map(|e| e.name.clone()) } else { None };
            Ok(FilePage { entries, next })
        })
    }

    fn open(
        &self,
        of: HomeOf,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Box<dyn OpenFile>, FileError>> {
        Box::pin(async move {
            let opened = self.in_home(&of, |files| {
                let path = plain(&path, true)?;
                let entry = files.look(&path)?;
                let bytes = files.get(&path).ok_or(Fault::IsDirectory)?;
                Ok(Reading { entry, bytes })
            });
            let file: Box<dyn OpenFile> = Box::new(opened.await?);
            Ok(file)
        })
    }

    fn write(
        &self,
        of: HomeOf,
        path: FilePath,
        order: WriteOrder,
    ) -> BoxFuture<'_, Result<Box<dyn FileDraft>, FileError>> {
        Box::pin(async move {
            let room = if of.disk_bytes == 0 { u64::MAX } else { of.disk_bytes };
            let path = self
                .in_home(&of, |files| {
                    let path = plain(&path, true)?;
                    if order.mode.is_some_and(|mode| mode & !0o777 != 0) {
                        return Err(Fault::Bad("the mode holds more than permission bits"));
                    }
                    files.may(&path, order.parents, &condition(order.condition.clone()))?;
                    Ok(path)
                })
                .await?;
            let home = self.home_of(&of);
            let draft: Box<dyn FileDraft> =
                Box::new(Writing { home, path, order, room, bytes: Vec::new() });
            Ok(draft)
        })
    }

    fn change(
        &self,
        of: HomeOf,
        path: FilePath,
        change: FileChange,
    ) -> BoxFuture<'_, Result<Option<FileEntry>, FileError>> {
        Box::pin(async move {
            let work = |files: &mut Files| {
                let path = plain(&path, false)?;
                if path.is_empty() {
                    return Err(Fault::Bad("the path names no file"));
                }
                files.change(&path, change)
            };
            self.in_home(&of, work).await
        })
    }
}

struct Reading {
    entry: FileEntry,
    bytes: Bytes,
}

impl OpenFile for Reading {
    fn entry(&self) -> &FileEntry {
        &self.entry
    }

    fn pieces(&self, from: u64, len: u64) -> BoxStream<'static, Result<Bytes, FileError>> {
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(self.bytes.len());
        let part = self.bytes.slice(at(from)..at(from.saturating_add(len)));
        stream::iter((!part.is_empty()).then_some(Ok(part))).boxed()
    }
}

struct Writing {
    home: Home,
    path: String,
    order: WriteOrder,
    room: u64,
    bytes: Vec<u8>,
}

impl FileDraft for Writing {
    fn add(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        self.bytes.extend_from_slice(&bytes);
        let full = self.bytes.len() as u64 > self.room;
        Box::pin(async move { if full { Err(FileError::Full) } else { Ok(()) } })
    }

    fn place(self: Box<Self>) -> BoxFuture<'static, Result<FileEntry, FileError>> {
        Box::pin(async move {
            let mut files = self.home.lock().unwrap_or_else(PoisonError::into_inner);
            let before: Precondition = self.order.condition;
            files.may(&self.path, self.order.parents, &condition(before)).map_err(explain)?;
            files.put(&self.path, self.bytes.into(), self.order.mode);
            files.look(&self.path).map_err(explain)
        })
    }
}
