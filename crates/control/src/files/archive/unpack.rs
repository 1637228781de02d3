//! A folder coming in. Each file is written whole or not at all; the folder is not: what came before
//! an archive broke off stays.

use std::io;

use bytes::Bytes;
use smartbox_core::BoxStream;
use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileChange, FilePath, WriteOrder};
use smartbox_core::id::SmartboxId;

use super::parse::{Entry, Source};
use super::{DEPTH, ENTRIES};
use crate::control::Control;
use crate::error::ControlError;
use crate::files::Which;
use crate::files::change::shown;
use crate::parts::Actor;

/// The bytes of an archive that comes in.
pub type Arriving = BoxStream<'static, io::Result<Bytes>>;

/// What came of an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files written.
    pub files: u64,
    /// Directories that the archive named.
    pub directories: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// What is neither, and was left out; only of an archive of which that is fine.
    pub left_out: u64,
}

/// Where to.
struct At<'a> {
    id: &'a SmartboxId,
    which: &'a Which,
}

impl Control {
    /// Unpacks a tar stream into a folder of a home, which is made if it is not there. Files that are
    /// there are replaced, others stay. Wakes nothing.
    pub async fn unpack(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        path: FilePath,
        body: Arriving,
    ) -> Result<Unpacked, ControlError> {
        let told = shown(&path);
        self.change(id, Some((actor, "file.unpack", told)), |_| Ok(())).await?;
        self.unpack_from(id, path, Source::new(body)).await
    }

    /// The same of an archive of the platform's own, in which there may be links: they are left out.
    pub(crate) async fn unpack_what_fits(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        path: FilePath,
        body: Arriving,
    ) -> Result<Unpacked, ControlError> {
        let told = shown(&path);
        self.change(id, Some((actor, "file.unpack", told)), |_| Ok(())).await?;
        self.unpack_from(id, path, Source::lenient(body)).await
    }

    async fn unpack_from(
        &self,
        id: &SmartboxId,
        path: FilePath,
        mut source: Source,
    ) -> Result<Unpacked, ControlError> {
        let mut done = Unpacked::default();
        // All of it goes into one home: half of it in the one that was is no folder.
        let which = self.enter_to_write(id).await?.which();
        let at = At { id, which: &which };
        if !matches!(path.0.as_slice(), b"" | b".") {
            self.folder(&at, path.clone()).await?;
        }
        while let Some(entry) = source.entry().await? {
            let depth = entry.name.iter().filter(|byte| **byte == b'/').count();
            if done.files + done.directories >= ENTRIES || depth > DEPTH {
                return Err(ControlError::Refused {
                    why: format!("the archive has more than {ENTRIES} entries or {DEPTH} levels"),
                    hint: "send its parts one by one".into(),
                });
            }
            let to = beneath(&path, &entry.name);
            if entry.is_directory {
                if !entry.name.is_empty() {
                    self.folder(&at, to).await?;
                }
                done.directories += 1;
            } else {
                self.file_of(&at, to, &entry, &mut source).await?;
                done.files += 1;
                done.bytes += entry.len;
            }
        }
        done.left_out = source.left_out();
        Ok(done)
    }

    async fn folder(&self, at: &At<'_>, path: FilePath) -> Result<(), ControlError> {
        let make = FileChange::MakeDirectory { parents: true };
        let home = self.enter_again(at.id, at.which).await?;
        self.parts.homes.change(home.of.clone(), path, make).await?;
        Ok(())
    }

    async fn file_of(
        &self,
        at: &At<'_>,
        path: FilePath,
        entry: &Entry,
        source: &mut Source,
    ) -> Result<(), ControlError> {
        // Its owner must be able to read and replace it.
        let mode = Some(entry.mode | 0o600);
        let order = WriteOrder { mode, parents: true, ..WriteOrder::default() };
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let about = |error: FileError| match error {
            FileError::Unfit { why } => FileError::Unfit { why: format!("{name}: {why}") },
            FileError::Bad { why } => FileError::Bad { why: format!("{name}: {why}") },
            other => other,
        };
        let home = self.enter_again(at.id, at.which).await?;
        let draft = self.parts.homes.write(home.of.clone(), path, order).await;
        drop(home);
        let mut draft = draft.map_err(about)?;
        let mut left = entry.len;
        while left > 0 {
            let piece = source.piece(left).await?;
            left -= piece.len() as u64;
            draft.add(piece).await?;
        }
        source.pad(entry.len).await?;
        let _home = self.enter_again(at.id, at.which).await?;
        draft.place().await.map_err(about)?;
        Ok(())
    }
}

fn beneath(root: &FilePath, name: &[u8]) -> FilePath {
    match (root.0.as_slice(), name) {
        (b"", name) => FilePath(name.to_vec()),
        (_, b"") => root.clone(),
        (root, name) => FilePath([root, name].join(&b'/')),
    }
}
