//! Single files and folders of a generation back into the home, beside whatever runs. Files that are
//! there are replaced one by one, each in one step; others stay. Nothing is stopped.

use futures_util::StreamExt;
use smartbox_core::home::{FileKind, FilePath};
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::Generation;
use smartbox_core::snapshot::port::Form;

use crate::control::Control;
use crate::error::ControlError;
use crate::files::Unpacked;
use crate::parts::Actor;

impl Control {
    /// Restores something of a generation: a file, or a folder with everything in it but links.
    pub(crate) async fn restore_path(
        &self,
        actor: &Actor,
        id: &SmartboxId,
        generation: Generation,
        path: &str,
    ) -> Result<Unpacked, ControlError> {
        let held = self.held(id).await?;
        let (of, record) = (held.repository()?, held.generation(Some(generation))?);
        let detail = format!("{path} of generation {}", generation.0);
        self.note_act(actor, id, "snapshot.restore", detail).await?;
        let path = path.trim_matches('/');
        let from = FilePath::from(path);
        let kept =
            self.parts.snapshots.look(of.clone(), record.snapshot.clone(), from.clone()).await?;
        let itself = matches!(
            kept.as_slice(),
            [one] if one.path == from && one.entry.kind != FileKind::Directory
        );
        // An archive of a folder has names within it, one of a file the file's own.
        let to = match (itself, path.rsplit_once('/')) {
            (true, Some((parent, _))) => FilePath::from(parent),
            (true, None) => FilePath::default(),
            (false, _) => from.clone(),
        };
        let bytes = self.parts.snapshots.read(of, record.snapshot.clone(), from, Form::Tar).await?;
        let bytes = bytes.map(|piece| piece.map_err(std::io::Error::other)).boxed();
        self.unpack_what_fits(actor, id, to, bytes).await
    }
}
