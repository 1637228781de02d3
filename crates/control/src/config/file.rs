//! The file in the home. Whatever the box puts in its place, reading it is bounded and ends.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::{Value, json};
use smartbox_core::config::MAX_BYTES;
use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileChange, FileKind, HomeOf, Precondition, WriteOrder};
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::smartbox::Smartbox;

use crate::control::Control;
use crate::error::ControlError;

/// Looks at a file that changes while it is looked at.
const LOOKS: usize = 4;

/// What stands in the place of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The file, if there is one that can be read.
    pub(crate) bytes: Option<Bytes>,
    /// Its document, or an empty one.
    pub(crate) document: Value,
    /// Why it is no configuration, for the owner.
    pub(crate) unreadable: Option<String>,
    /// What must be in its place still when it is written.
    condition: Precondition,
}

impl Found {
    /// Whether there is no file yet.
    pub(super) fn is_absent(&self) -> bool {
        self.condition == Precondition::Absent
    }

    fn unreadable(bytes: Option<Bytes>, condition: Precondition, why: String) -> Self {
        Self { bytes, document: json!({}), unreadable: Some(why), condition }
    }
}

impl Control {
    /// What drivers need to know of a box's home.
    pub(crate) fn home_of(&self, row: &Smartbox) -> HomeOf {
        let limits = self.parts.settings.tiers.get(&row.tier);
        HomeOf {
            smartbox: row.id.clone(),
            slot: row.slot,
            disk_bytes: limits.map_or(0, |limits| limits.disk_bytes),
        }
    }

    /// Reads the configuration of a box. Wakes nobody.
    pub(crate) async fn config_file(&self, row: &Smartbox) -> Result<Found, ControlError> {
        let slot = self.engine(&row.engine)?;
        let path = slot.engine.manifest().config.as_str();
        let of = self.home_of(row);
        for _ in 0..LOOKS {
            let seen = match self.parts.homes.look(of.clone(), path.into()).await {
                Ok(seen) => seen,
                Err(FileError::Absent) => {
                    // What its kind gives it stands in the file from the first start on.
                    let first = if row.furnished { None } else { self.first_settings(row) };
                    let document = first.as_ref().and_then(|first| slot.configs.read(first).ok());
                    return Ok(Found {
                        bytes: first,
                        document: document.unwrap_or_else(|| json!({})),
                        unreadable: None,
                        condition: Precondition::Absent,
                    });
                }
                Err(error) => return stands_in_the_way(error, Precondition::Any),
            };
            let condition = Precondition::OneOf(vec![seen.tag.clone()]);
            if !matches!(seen.kind, FileKind::File | FileKind::Link) {
                let why = "it is not a file".to_owned();
                return Ok(Found::unreadable(None, condition, why));
            }
            let file = match self.parts.homes.open(of.clone(), path.into()).await {
                Ok(file) => file,
                Err(FileError::Absent) if seen.kind == FileKind::File => continue,
                Err(error) => return stands_in_the_way(error, condition),
            };
            if seen.kind == FileKind::File && file.entry().tag != seen.tag {
                continue;
            }
            let mut bytes = BytesMut::new();
            // One more than is taken shows that it is longer.
            let mut pieces = file.pieces(0, MAX_BYTES as u64 + 1);
            while let Some(piece) = pieces.next().await {
                bytes.extend_from_slice(&piece.map_err(explain)?);
            }
            let bytes = bytes.freeze();
            return Ok(match slot.configs.read(&bytes) {
                Ok(document) => Found { bytes: Some(bytes), document, unreadable: None, condition },
                Err(why) => Found::unreadable(Some(bytes), condition, why),
            });
        }
        Err(ControlError::Refused {
            why: "the configuration changes faster than it can be read".into(),
            hint: "look at what the assistant does with it, or stop the smartbox".into(),
        })
    }

    /// What a box is started with. What is no file is put aside, so that one can be written there.
    pub(crate) async fn config_at_start(&self, row: &Smartbox) -> Result<Found, ControlError> {
        let slot = self.engine(&row.engine)?;
        let found = self.config_file(row).await?;
        if found.unreadable.is_none() {
            let owner = slot.configs.owners(&found.document);
            let newest = self.seen(row, &found, &owner).await?;
            if newest.is_none() && found.is_absent() && found.bytes.is_some() {
                self.record(row, "platform", "as its kind makes it".into(), &owner, None).await?;
            }
        } else if found.bytes.is_none() {
            let path = slot.engine.manifest().config.as_str();
            let to = format!("{path}.aside-{}", row.epoch);
            let change = FileChange::Rename { to: to.as_str().into(), replace: true };
            let moved = self.parts.homes.change(self.home_of(row), path.into(), change).await;
            if let Err(error) = moved {
                tracing::warn!(smartbox = %row.id, %error, "what stands in the configuration's place stays");
            }
        }
        Ok(found)
    }

    /// Writes a configuration, whole, unless something else stands there than was found.
    /// False if so.
    pub(crate) async fn write_config_file(
        &self,
        row: &Smartbox,
        found: &Found,
        bytes: Bytes,
    ) -> Result<bool, ControlError> {
        let path = self.engine(&row.engine)?.engine.manifest().config.as_str();
        self.write_home_file(row, path, found.condition.clone(), bytes).await
    }

    /// Writes a file of a home. False if something else stands there than the condition says.
    pub(crate) async fn write_home_file(
        &self,
        row: &Smartbox,
        path: &str,
        condition: Precondition,
        bytes: Bytes,
    ) -> Result<bool, ControlError> {
        let order = WriteOrder { mode: Some(0o600), parents: true, condition };
        // No other home takes this one's place before it is written; if one just did, or one that was gone
        // comes back, the condition tells.
        let _home = match self.keeper(&row.id) {
            Some(keeper) => {
                let home = keeper.enter().await;
                self.begin_home(&keeper, row).await?;
                Some(home)
            }
            None => None,
        };
        let writing = async {
            let of = self.home_of(row);
            let mut draft = self.parts.homes.write(of, path.into(), order).await?;
            draft.add(bytes).await?;
            draft.place().await
        };
        match writing.await {
            Ok(_) => Ok(true),
            Err(FileError::Changed | FileError::Exists | FileError::Absent) => Ok(false),
            Err(error) => Err(explain(error)),
        }
    }
}

/// What is there and cannot be read is the box's doing, and no failure of ours.
fn stands_in_the_way(error: FileError, condition: Precondition) -> Result<Found, ControlError> {
    match error {
        FileError::Bad { .. }
        | FileError::Absent
        | FileError::Exists
        | FileError::Unfit { .. }
        | FileError::Changed
        | FileError::Forbidden => Ok(Found::unreadable(None, condition, error.to_string())),
        FileError::Full | FileError::Broken { .. } => Err(explain(error)),
    }
}

fn explain(error: FileError) -> ControlError {
    match error {
        FileError::Full => RuntimeError::Full.into(),
        FileError::Broken { doing, source } => RuntimeError::Broken { doing, source }.into(),
        other => ControlError::Refused {
            why: format!("the configuration cannot be written: {other}"),
            hint: "look at the file in the smartbox's home".into(),
        },
    }
}
