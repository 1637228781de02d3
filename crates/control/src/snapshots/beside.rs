//! What lies beside a repository, sealed: enough for another installation with the same master key to
//! take the box over.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::{Smartbox, Vitals};
use smartbox_core::snapshot::RepositoryKey;
use smartbox_core::snapshot::record::{Archive, Record};
use smartbox_core::store::{self, StoreError};

use super::turn::Turn;
use crate::control::Control;
use crate::error::ControlError;

/// As it is written. Fields are added, never changed: an older one must be read.
#[derive(Serialize, Deserialize)]
pub(super) struct Beside {
    pub(super) row: Smartbox,
    /// The name of its account.
    pub(super) account: String,
    pub(super) archive: Archive,
    pub(super) generations: Vec<Record>,
    /// The key of the repository, in hexadecimal.
    key: String,
}

impl Beside {
    pub(super) fn key(&self) -> Option<RepositoryKey> {
        let bytes = hex::decode(&self.key).ok()?;
        Some(RepositoryKey::new(bytes.try_into().ok()?))
    }
}

impl Control {
    /// Puts it there if it is another than was put there last.
    pub(super) async fn put_beside(
        &self,
        turn: &mut Turn,
        id: &SmartboxId,
    ) -> Result<(), ControlError> {
        let wanted = id.clone();
        let found = store::read(&*self.parts.store, |tx| {
            Box::pin(async move {
                let row = tx.boxes().get(wanted.clone()).await?;
                let archive = tx.archives().get(wanted.clone()).await?;
                let key = tx.archives().key(wanted.clone()).await?;
                let (Some(row), Some(archive), Some(key)) = (row, archive, key) else {
                    return Ok(None);
                };
                let account = tx.accounts().get(row.account.clone()).await?;
                let account = account.map(|account| account.name).unwrap_or_default();
                let generations = tx.archives().generations(wanted).await?;
                Ok(Some((row, account, archive, generations, key)))
            })
        })
        .await?;
        let Some((row, account, archive, generations, key)) = found else { return Ok(()) };
        // What changes all the time and means nothing elsewhere is left out.
        let row = Smartbox {
            alarm: None,
            suspension: None,
            last_active: row.created,
            vitals: Vitals { engine: row.vitals.engine.clone(), ..Vitals::default() },
            ..row
        };
        let archive = Archive { fresh: None, trouble: None, pruned: None, ..archive };
        let beside = Beside { row, account, archive, generations, key: hex::encode(key.expose()) };
        let plain = serde_json::to_string(&beside)
            .map_err(|error| ControlError::Store(StoreError::Broken(error.into())))?;
        let digest = <[u8; 32]>::from(Sha256::digest(&plain));
        if turn.beside == Some(digest) {
            return Ok(());
        }
        let (owner, plain) = (id.clone(), Secret::new(plain));
        let sealed = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.archives().seal_record(owner, plain).await })
        })
        .await?;
        self.parts.snapshots.put_record(id.clone(), sealed).await?;
        turn.beside = Some(digest);
        Ok(())
    }

    /// Opens what lies beside a box's repository.
    pub(super) async fn open_beside(
        &self,
        id: &SmartboxId,
        sealed: Bytes,
    ) -> Result<Beside, ControlError> {
        let owner = id.clone();
        let opened = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.archives().open_record(owner, sealed).await })
        })
        .await;
        let plain = match opened {
            Err(StoreError::Sealed) => return Err(wrong_key()),
            opened => opened?,
        };
        let beside: Beside = serde_json::from_str(plain.expose()).map_err(|_| strange())?;
        if beside.row.id != *id || beside.archive.smartbox != *id {
            return Err(strange());
        }
        Ok(beside)
    }
}

fn wrong_key() -> ControlError {
    ControlError::Refused {
        why: "it was sealed under another master key than this installation has".into(),
        hint: "put the master key of the installation that had the smartbox in place (keys/master.key), and begin with an empty data directory".into(),
    }
}

fn strange() -> ControlError {
    ControlError::Refused {
        why: "what lies beside its snapshots is not understood".into(),
        hint: "another version of the platform may have written it".into(),
    }
}
