//! Changing names and directories.

use smartbox_core::home::{FileChange, FileEntry, FilePath};
use smartbox_core::id::SmartboxId;

use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Characters of a path that the audit keeps.
const SHOWN: usize = 300;

impl Control {
    /// Makes a directory, renames or removes. Says what is there now; nothing after a removal.
    pub async fn change_file(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        path: FilePath,
        change: FileChange,
    ) -> Result<Option<FileEntry>, ControlError> {
        let (act, told) = match &change {
            FileChange::MakeDirectory { .. } => ("file.mkdir", shown(&path)),
            FileChange::Rename { to, .. } => {
                ("file.rename", format!("{} to {}", shown(&path), shown(to)))
            }
            FileChange::Remove { .. } => ("file.remove", shown(&path)),
        };
        let home = self.enter_to_write(id).await?;
        let done = self.parts.homes.change(home.of.clone(), path, change).await?;
        self.change(id, Some((actor, act, told)), |_| Ok(())).await?;
        Ok(done)
    }
}

/// A path for the audit.
pub(super) fn shown(path: &FilePath) -> String {
    String::from_utf8_lossy(&path.0).chars().take(SHOWN).collect()
}
