//! Several operations in one request, one after the other; each has a result of its own.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileChange, FileEntry, FilePath, WriteOrder};
use smartbox_core::id::SmartboxId;

use super::upload::Upload;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Operations at the most.
pub const MAX_OPS: usize = 50;
/// Bytes that all reads of a batch may bring together.
const READ: u64 = 8 << 20;

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileOp {
    /// The whole of a file.
    Read(FilePath),
    /// What is known of it.
    Look(FilePath),
    /// Whether it is there.
    Exists(FilePath),
    /// Writes it.
    Write(FilePath, WriteOrder, Bytes),
    /// Makes, renames or removes it.
    Change(FilePath, FileChange),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileDone {
    /// What was read.
    Content(FileEntry, Bytes),
    /// What is there (now).
    Entry(FileEntry),
    /// Whether it is there.
    Exists(bool),
    /// Nothing is there any more.
    Removed,
}

impl Control {
    /// Does one after the other. What fails does not end the rest.
    pub async fn batch(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        ops: Vec<FileOp>,
    ) -> Result<Vec<Result<FileDone, ControlError>>, ControlError> {
        if ops.len() > MAX_OPS {
            return Err(ControlError::Refused {
                why: format!("a batch holds at most {MAX_OPS} operations"),
                hint: "send several".into(),
            });
        }
        drop(self.enter(id).await?);
        let (mut room, mut done) = (READ, Vec::new());
        for op in ops {
            done.push(self.one(actor, id, op, &mut room).await);
        }
        Ok(done)
    }

    async fn one(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        op: FileOp,
        room: &mut u64,
    ) -> Result<FileDone, ControlError> {
        match op {
            FileOp::Read(path) => {
                let file = self.open_file(id, path).await?;
                let entry = file.entry().clone();
                *room = room.checked_sub(entry.size).ok_or_else(|| ControlError::Refused {
                    why: format!("the files of a batch are longer than {READ} bytes together"),
                    hint: "read long files one by one".into(),
                })?;
                let mut bytes = BytesMut::new();
                let mut pieces = file.pieces(0, entry.size);
                while let Some(piece) = pieces.next().await {
                    bytes.extend_from_slice(&piece?);
                }
                Ok(FileDone::Content(entry, bytes.freeze()))
            }
            FileOp::Look(path) => Ok(FileDone::Entry(self.file(id, path).await?)),
            FileOp::Exists(path) => match self.file(id, path).await {
                Ok(_) => Ok(FileDone::Exists(true)),
                Err(ControlError::File(FileError::Absent)) => Ok(FileDone::Exists(false)),
                Err(other) => Err(other),
            },
            FileOp::Write(path, order, bytes) => {
                let len = Some(bytes.len() as u64);
                let body = stream::iter([Ok(bytes)]).boxed();
                let upload = Upload { order, body, len, digest: None };
                let written = self.write_file(actor, id, path, upload).await?;
                Ok(FileDone::Entry(written.entry))
            }
            FileOp::Change(path, change) => {
                let entry = self.change_file(actor, id, path, change).await?;
                Ok(entry.map_or(FileDone::Removed, FileDone::Entry))
            }
        }
    }
}
