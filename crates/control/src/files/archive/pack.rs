//! A folder going out. It may change meanwhile: what is gone is left out, what has become shorter
//! ends the stream, which its reader sees.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use smartbox_core::BoxStream;
use smartbox_core::home::port::{FileError, OpenFile};
use smartbox_core::home::{FileEntry, FileKind, FilePath, HomeOf};
use smartbox_core::id::SmartboxId;
use tar::{EntryType, Header};

use super::{DEPTH, ENTRIES, padding};
use crate::control::Control;
use crate::error::ControlError;

/// Entries that are listed in one go.
const PAGE: usize = 1000;

type Pieces = BoxStream<'static, Result<Bytes, ControlError>>;

impl Control {
    /// A folder of a home as a tar stream; names are relative to it. Wakes nothing.
    pub async fn pack(
        self: &Arc<Self>,
        id: &SmartboxId,
        path: FilePath,
    ) -> Result<Pieces, ControlError> {
        let of = self.enter(id).await?.of;
        // What is no directory is told before the first byte.
        self.parts.homes.list(of.clone(), path.clone(), None, 1).await?;
        let first = Folder { name: Vec::new(), depth: 0, after: None };
        let packing = Packing {
            control: self.clone(),
            of,
            root: path.0,
            folders: vec![first],
            entries: VecDeque::new(),
            count: 0,
            over: false,
        };
        let parts = stream::unfold(packing, async |mut packing| {
            let part = packing.next().await?;
            Some((part, packing))
        });
        Ok(parts.try_flatten().boxed())
    }
}

/// A directory that is still to be listed, from a name on.
struct Folder {
    name: Vec<u8>,
    depth: usize,
    after: Option<Vec<u8>>,
}

struct Packing {
    control: Arc<Control>,
    of: HomeOf,
    root: Vec<u8>,
    folders: Vec<Folder>,
    entries: VecDeque<(Vec<u8>, usize, FileEntry)>,
    count: u64,
    over: bool,
}

impl Packing {
    /// The next entry, head and body; `None` after the end mark.
    async fn next(&mut self) -> Option<Result<Pieces, ControlError>> {
        if self.over {
            return None;
        }
        let part = self.part().await;
        self.over |= part.is_err();
        Some(part)
    }

    async fn part(&mut self) -> Result<Pieces, ControlError> {
        loop {
            let Some((name, depth, entry)) = self.entries.pop_front() else {
                match self.folders.pop() {
                    Some(folder) => self.list(folder).await?,
                    None => {
                        self.over = true;
                        return Ok(whole(vec![0; 1024]));
                    }
                }
                continue;
            };
            self.count += 1;
            if self.count > ENTRIES || depth > DEPTH {
                return Err(refused());
            }
            match entry.kind {
                FileKind::Directory => {
                    let head = head(&name, EntryType::Directory, &entry, 0)?;
                    self.folders.push(Folder { name, depth, after: None });
                    return Ok(whole(head));
                }
                FileKind::File => {
                    let path = self.path(&name);
                    match self.control.parts.homes.open(self.of.clone(), path).await {
                        Ok(file) => return body(&name, &*file),
                        // Gone, or something else by now, or not ours to read: as links, left out.
                        Err(FileError::Broken { doing, source }) => {
                            return Err(FileError::Broken { doing, source }.into());
                        }
                        Err(_) => {}
                    }
                }
                FileKind::Link | FileKind::Other => {}
            }
        }
    }

    async fn list(&mut self, folder: Folder) -> Result<(), ControlError> {
        let (path, after) = (self.path(&folder.name), folder.after);
        let page = match self.control.parts.homes.list(self.of.clone(), path, after, PAGE).await {
            Ok(page) => page,
            Err(FileError::Absent | FileError::Unfit { .. } | FileError::Forbidden) => {
                return Ok(());
            }
            Err(other) => return Err(other.into()),
        };
        if page.next.is_some() {
            let (name, depth) = (folder.name.clone(), folder.depth);
            self.folders.push(Folder { name, depth, after: page.next });
        }
        for entry in page.entries {
            let mut name = folder.name.clone();
            if !name.is_empty() {
                name.push(b'/');
            }
            name.extend_from_slice(&entry.name);
            self.entries.push_back((name, folder.depth + 1, entry));
        }
        Ok(())
    }

    fn path(&self, name: &[u8]) -> FilePath {
        match (self.root.is_empty(), name.is_empty()) {
            (true, _) => FilePath(name.to_vec()),
            (false, true) => FilePath(self.root.clone()),
            (false, false) => FilePath([self.root.as_slice(), name].join(&b'/')),
        }
    }
}

fn refused() -> ControlError {
    ControlError::Refused {
        why: format!(
            "a folder of more than {ENTRIES} entries or {DEPTH} levels goes in no archive"
        ),
        hint: "take its parts one by one".into(),
    }
}

fn whole(bytes: Vec<u8>) -> Pieces {
    stream::iter([Ok(Bytes::from(bytes))]).boxed()
}

/// Head, bytes and padding of a file. One that ends short of what its head says would make nonsense of
/// all that follows, so it ends the stream.
fn body(name: &[u8], file: &dyn OpenFile) -> Result<Pieces, ControlError> {
    let len = file.entry().size;
    let head = head(name, EntryType::Regular, file.entry(), len)?;
    let state = Some((file.pieces(0, len), len));
    let bytes = stream::unfold(state, move |state| async move {
        let (mut pieces, left) = state?;
        match pieces.next().await {
            Some(Ok(piece)) => {
                let left = left.saturating_sub(piece.len() as u64);
                Some((Ok(piece), Some((pieces, left))))
            }
            Some(Err(error)) => Some((Err(error.into()), None)),
            None if left > 0 => Some((Err(FileError::Changed.into()), None)),
            None => Some((Ok(Bytes::from(vec![0; padding(len)])), None)),
        }
    });
    Ok(whole(head).chain(bytes).boxed())
}

/// The head of an entry; names that do not fit in it come in a record of their own before it.
fn head(
    name: &[u8],
    kind: EntryType,
    entry: &FileEntry,
    len: u64,
) -> Result<Vec<u8>, ControlError> {
    let mut out = Vec::new();
    let mut shown = name.to_vec();
    if kind == EntryType::Directory {
        shown.push(b'/');
    }
    let mut header = Header::new_gnu();
    if shown.len() > 100 {
        let mut long = Header::new_gnu();
        long.as_gnu_mut().ok_or_else(refused)?.name[..13].copy_from_slice(b"././@LongLink");
        long.set_mode(0o644);
        long.set_size(shown.len() as u64 + 1);
        long.set_entry_type(EntryType::GNULongName);
        long.set_cksum();
        out.extend_from_slice(long.as_bytes());
        out.extend_from_slice(&shown);
        out.extend(std::iter::repeat_n(0, 1 + padding(shown.len() as u64 + 1)));
    }
    let short = &shown[..shown.len().min(100)];
    header.as_gnu_mut().ok_or_else(refused)?.name[..short.len()].copy_from_slice(short);
    header.set_mode(entry.mode);
    header.set_size(len);
    header.set_mtime(u64::try_from(entry.modified.0 / 1000).unwrap_or(0));
    header.set_entry_type(kind);
    header.set_cksum();
    out.extend_from_slice(header.as_bytes());
    Ok(out)
}
