//! Where a box's things are on the host, and the one note that a sandbox leaves: [`Meta`].

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Limits;

use super::usage;

/// The directories of one box.
#[derive(Debug, Clone)]
pub(crate) struct BoxDir(PathBuf);

/// What was asked for when the sandbox was made. Evidence for adoption; init's handshake decides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub(crate) id: SmartboxId,
    pub(crate) fence: u64,
    pub(crate) host_uid: u32,
    pub(crate) limits: Limits,
}

impl BoxDir {
    pub(crate) fn new(data_dir: &Path, id: &SmartboxId) -> Self {
        Self(data_dir.join("boxes").join(id.as_str()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    pub(crate) fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.0.join("log").join(name)
    }

    fn meta(&self) -> PathBuf {
        self.0.join("meta.json")
    }

    /// Makes what is missing, and gives the home to the box's user.
    pub(crate) fn make(&self, owner: Option<(u32, u32)>) -> io::Result<()> {
        for dir in [&self.0, &self.0.join("log"), &self.run()] {
            private_dir(dir)?;
        }
        private_dir(&self.home())?;
        if let Some((uid, gid)) = owner {
            usage::give(&self.home(), uid, gid)?;
        }
        Ok(())
    }

    /// The note, if there is a whole one.
    pub(crate) fn read_meta(&self) -> Option<Meta> {
        serde_json::from_slice(&fs::read(self.meta()).ok()?).ok()
    }

    /// Writes the note, whole or not at all.
    pub(crate) fn write_meta(&self, meta: &Meta) -> io::Result<()> {
        let temporary = self.0.join("meta.json.new");
        fs::write(&temporary, serde_json::to_vec(meta)?)?;
        fs::rename(temporary, self.meta())
    }

    /// Takes away what belongs to a sandbox and not to the box.
    pub(crate) fn clear(&self) {
        for file in [self.run().join("link.sock"), self.run().join("pass.sock"), self.meta()] {
            // Absent is what we want; anything else shows at the next start.
            let _ = fs::remove_file(file);
        }
    }
}

/// Makes a directory that only its owner may enter; an existing one is left as it is.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Every box that has a directory.
pub(crate) fn boxes(data_dir: &Path) -> Vec<SmartboxId> {
    let Ok(entries) = fs::read_dir(data_dir.join("boxes")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
