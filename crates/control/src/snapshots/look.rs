//! Looking into snapshots. It waits for nobody and changes nothing.

use bytes::Bytes;
use smartbox_core::BoxStream;
use smartbox_core::home::FilePath;
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::port::{Against, Difference, Form, Kept, SnapshotError};
use smartbox_core::snapshot::record::Record;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// What to compare a generation with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Another generation.
    Generation(Generation),
    /// The home as it is: what a restore would undo.
    Home,
}

impl Control {
    /// A generation of a box, a removed one's too; the newest if none is named.
    pub async fn generation(
        &self,
        id: &SmartboxId,
        generation: Option<Generation>,
    ) -> Result<Record, ControlError> {
        Ok(self.held(id).await?.generation(generation)?.clone())
    }

    /// What a directory of a generation holds, by name; of a file, the file itself.
    pub async fn look_in_snapshot(
        &self,
        id: &SmartboxId,
        generation: Option<Generation>,
        path: FilePath,
    ) -> Result<Vec<Kept>, ControlError> {
        let held = self.held(id).await?;
        let (of, snapshot) = (held.repository()?, held.generation(generation)?.snapshot.clone());
        Ok(self.parts.snapshots.look(of, snapshot, path).await?)
    }

    /// The bytes of something in a generation, as a file or as a tar archive.
    pub async fn read_snapshot(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        generation: Option<Generation>,
        path: FilePath,
        form: Form,
    ) -> Result<BoxStream<'static, Result<Bytes, SnapshotError>>, ControlError> {
        let held = self.held(id).await?;
        let (of, record) = (held.repository()?, held.generation(generation)?);
        let bytes = self.parts.snapshots.read(of, record.snapshot.clone(), path.clone(), form);
        let bytes = bytes.await?;
        let path = String::from_utf8_lossy(&path.0);
        let detail = format!("{} of generation {}", path, record.generation.0);
        self.note_act(actor, &held.archive.smartbox, "snapshot.read", detail).await?;
        Ok(bytes)
    }

    /// How something differs from a generation: at most `limit` changes, and the count of all. With the
    /// home that is the dry run of a restore.
    pub async fn diff_snapshot(
        &self,
        id: &SmartboxId,
        generation: Option<Generation>,
        with: Compare,
        limit: usize,
    ) -> Result<Difference, ControlError> {
        let held = self.held(id).await?;
        let (of, snapshot) = (held.repository()?, held.generation(generation)?.snapshot.clone());
        let against = match with {
            Compare::Generation(other) => {
                Against::Snapshot(held.generation(Some(other))?.snapshot.clone())
            }
            Compare::Home => {
                let missing = ControlError::Missing { what: "home" };
                let row = held.row.as_ref().ok_or(ControlError::Missing { what: "smartbox" })?;
                let place = self.parts.places.place(self.home_of(row)).await?.ok_or(missing)?;
                Against::Home(place, self.parts.settings.snapshots.exclude.clone())
            }
        };
        Ok(self.parts.snapshots.diff(of, snapshot, against, limit).await?)
    }
}
