//! Writing a file as its bytes come.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use smartbox_core::BoxStream;
use smartbox_core::home::{FileEntry, FilePath, WriteOrder};
use smartbox_core::id::SmartboxId;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// How long the next bytes may take to come.
const SLOW: Duration = Duration::from_secs(60);

/// A file that comes in.
pub struct Upload {
    /// Where to, and on which conditions.
    pub order: WriteOrder,
    /// Its bytes.
    pub body: BoxStream<'static, io::Result<Bytes>>,
    /// How many there must be, if that is known.
    pub len: Option<u64>,
    /// Their SHA-256, if that is known: others are not written.
    pub digest: Option<[u8; 32]>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What is there now.
    pub entry: FileEntry,
    /// The SHA-256 of what came.
    pub digest: [u8; 32],
}

impl Control {
    /// Writes a file of a home, whole or not at all. Wakes nothing.
    pub async fn write_file(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        path: FilePath,
        upload: Upload,
    ) -> Result<Written, ControlError> {
        let told = super::change::shown(&path);
        let Upload { order, mut body, len, digest } = upload;
        let home = self.enter_to_write(id).await?;
        let which = home.which();
        let mut draft = self.parts.homes.write(home.of.clone(), path, order).await?;
        // An upload may take hours: the box may be removed meanwhile, and the draft with it.
        drop(home);
        let (mut hash, mut got) = (Sha256::new(), 0_u64);
        while let Some(piece) = next(&mut body).await? {
            got += piece.len() as u64;
            if len.is_some_and(|len| got > len) {
                return Err(broke("more bytes came than were announced"));
            }
            hash.update(&piece);
            draft.add(piece).await?;
        }
        if len.is_some_and(|len| got != len) {
            return Err(broke("fewer bytes came than were announced"));
        }
        let found: [u8; 32] = hash.finalize().into();
        if digest.is_some_and(|digest| digest != found) {
            return Err(ControlError::Digest);
        }
        // Held until it is there: a restore keeps what is there before it puts another home in its place.
        let _home = self.enter_again(id, &which).await?;
        self.change(id, Some((actor, "file.write", told)), |_| Ok(())).await?;
        Ok(Written { entry: draft.place().await?, digest: found })
    }
}

/// The next bytes of an upload; `None` at its end.
pub(super) async fn next(
    body: &mut BoxStream<'static, io::Result<Bytes>>,
) -> Result<Option<Bytes>, ControlError> {
    match tokio::time::timeout(SLOW, body.next()).await {
        Ok(piece) => piece.transpose().map_err(|_| broke("the upload broke off")),
        Err(_) => Err(broke("the upload came too slowly")),
    }
}

pub(super) fn broke(why: &str) -> ControlError {
    ControlError::CutOff { why: why.to_owned() }
}
