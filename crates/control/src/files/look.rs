//! Looking at files and reading them.

use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use smartbox_core::home::port::{FileError, OpenFile};
use smartbox_core::home::{FileEntry, FilePage, FilePath};
use smartbox_core::id::SmartboxId;

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// Looks at something in a home. Wakes nothing.
    pub async fn file(&self, id: &SmartboxId, path: FilePath) -> Result<FileEntry, ControlError> {
        let home = self.enter(id).await?;
        Ok(self.parts.homes.look(home.of.clone(), path).await?)
    }

    /// Lists a directory of a home, by name, after a name. Wakes nothing.
    pub async fn files(
        &self,
        id: &SmartboxId,
        path: FilePath,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<FilePage, ControlError> {
        let home = self.enter(id).await?;
        Ok(self.parts.homes.list(home.of.clone(), path, after, limit).await?)
    }

    /// Opens a file of a home. Wakes nothing.
    pub async fn open_file(
        &self,
        id: &SmartboxId,
        path: FilePath,
    ) -> Result<Box<dyn OpenFile>, ControlError> {
        let home = self.enter(id).await?;
        Ok(self.parts.homes.open(home.of.clone(), path).await?)
    }

    /// The SHA-256 of a file that is open: it is read once for it.
    pub async fn digest(&self, file: &dyn OpenFile) -> Result<[u8; 32], ControlError> {
        let mut hash = Sha256::new();
        let mut pieces = file.pieces(0, file.entry().size);
        let mut len = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            len += piece.len() as u64;
            hash.update(&piece);
        }
        if len != file.entry().size {
            return Err(FileError::Changed.into());
        }
        Ok(hash.finalize().into())
    }
}
