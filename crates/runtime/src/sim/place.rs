//! Simulated homes as directories, for whoever copies and replaces homes as wholes. They are laid out
//! anew whenever their place is asked for, and what did not change keeps its file; so a copy is of that
//! moment, and a comparison finds what changed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use bytes::Bytes;
use smartbox_core::BoxFuture;
use smartbox_core::home::HomeOf;
use smartbox_core::home::place::{HomePlace, Places};
use smartbox_core::home::port::FileError;
use smartbox_core::id::SmartboxId;

use super::home::Files;
use super::{Call, Sim};

impl Sim {
    fn root(&self, id: &SmartboxId) -> io::Result<PathBuf> {
        let top = match self.laid_out.get() {
            Some(top) => top,
            None => {
                let made = tempfile::Builder::new().prefix("smartbox-sim-").tempdir()?;
                self.laid_out.get_or_init(|| made)
            }
        };
        let root = top.path().join(id.as_str());
        fs::create_dir_all(&root)?;
        Ok(root)
    }

    async fn in_place<T>(&self, work: impl FnOnce() -> io::Result<T>) -> Result<T, FileError> {
        let failed = |source| FileError::Broken { doing: "placing a home", source };
        self.faults.before(Call::Places).await.map_err(|e| failed(e.into()))?;
        work().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => FileError::Absent,
            _ => failed(e.into()),
        })
    }
}

impl Places for Sim {
    fn place(&self, of: HomeOf) -> BoxFuture<'_, Result<Option<HomePlace>, FileError>> {
        Box::pin(self.in_place(move || {
            let root = self.root(&of.smartbox)?;
            let (home, scratch) = (root.join("home"), root.join("scratch"));
            let files = self.home_of(&of);
            let files = files.lock().unwrap_or_else(PoisonError::into_inner);
            if !files.is_made() {
                return Ok(None);
            }
            fs::create_dir_all(&scratch)?;
            lay_out(&files, &home)?;
            Ok(Some(HomePlace { root, home, scratch, user: None }))
        }))
    }

    fn stage(&self, of: HomeOf) -> BoxFuture<'_, Result<PathBuf, FileError>> {
        Box::pin(self.in_place(move || {
            let stage = self.root(&of.smartbox)?.join("stage");
            remove(&stage)?;
            fs::create_dir(&stage)?;
            Ok(stage)
        }))
    }

    fn adopt(&self, of: HomeOf) -> BoxFuture<'_, Result<(), FileError>> {
        Box::pin(self.in_place(move || {
            if self.sandbox(&of.smartbox).is_some() {
                return Err(io::Error::other("its sandbox is still there"));
            }
            let stage = self.root(&of.smartbox)?.join("stage");
            let mut found = Vec::new();
            read(&stage, "", &mut found)?;
            let home = self.home_of(&of);
            home.lock().unwrap_or_else(PoisonError::into_inner).replace(found);
            remove(&stage)
        }))
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn lay_out(files: &Files, home: &Path) -> io::Result<()> {
    fs::create_dir_all(home)?;
    let mut wanted = BTreeSet::new();
    for (path, bytes, mode) in files.all() {
        let at = home.join(path);
        if path.ends_with('/') {
            replace_by_directory(&at)?;
        } else {
            at.parent().map(replace_by_directory).transpose()?;
            if fs::read(&at).ok().as_deref() != Some(bytes) {
                if at.is_dir() {
                    fs::remove_dir_all(&at)?;
                }
                fs::write(&at, bytes)?;
            }
            if fs::metadata(&at)?.permissions().mode() & 0o7777 != mode {
                fs::set_permissions(&at, fs::Permissions::from_mode(mode))?;
            }
        }
        wanted.extend(at.ancestors().map(Path::to_owned));
    }
    prune(home, &wanted)
}

fn replace_by_directory(at: &Path) -> io::Result<()> {
    if at.is_file() {
        fs::remove_file(at)?;
    }
    fs::create_dir_all(at)
}

fn prune(dir: &Path, wanted: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
        match (wanted.contains(&path), kind.is_dir()) {
            (true, true) => prune(&path, wanted)?,
            (true, false) => {}
            (false, true) => fs::remove_dir_all(&path)?,
            (false, false) => fs::remove_file(&path)?,
        }
    }
    Ok(())
}

/// Files, and directories that hold nothing. There are no links in a simulated home.
fn read(dir: &Path, prefix: &str, found: &mut Vec<(String, Bytes, u32)>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let meta = entry.metadata()?;
        if meta.is_dir() {
            found.push((format!("{name}/"), Bytes::new(), 0o700));
            read(&entry.path(), &format!("{name}/"), found)?;
        } else if meta.is_file() {
            let mode = meta.permissions().mode() & 0o777;
            found.push((name, fs::read(entry.path())?.into(), mode));
        }
    }
    Ok(())
}
