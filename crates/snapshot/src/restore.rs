//! Restores a snapshot into an empty directory, and looks at what came out: the library only logs a
//! mode, a time or a link that it could not make.

use std::fs::{self, Metadata as Found};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustic_core::repofile::{Node, NodeType};
use rustic_core::{LocalDestination, LsOptions, RestoreOptions};
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::SnapshotError;

use crate::backend::why;
use crate::error::{kernel, of_kernel};
use crate::open::Opened;
use crate::verify::find;

const WHAT: &str = "snapshot";
const DOING: &str = "restoring a snapshot";

pub(crate) fn restore(opened: Opened, id: &SnapshotId, into: &Path) -> Result<(), SnapshotError> {
    let Opened { repository, gate } = opened;
    let lift = |error: Box<rustic_core::RusticError>| match kernel(error.as_ref()) {
        Some(kind) if gate.is_open() => of_kernel(DOING, kind.into()),
        _ => why(&gate, WHAT, error),
    };
    empty(into)?;
    let text = into.to_str().ok_or_else(|| broken("the directory's name is not text"))?;
    let file = find(repository.get_all_snapshots().map_err(lift)?, id)?;
    let indexed = repository.to_indexed().map_err(lift)?;
    let root = indexed.node_from_snapshot_and_path(&file, "").map_err(lift)?;
    let listed = indexed.ls(&root, &LsOptions::default()).map_err(lift)?;

    let mut options = RestoreOptions::default();
    options.no_ownership = true;
    let destination = LocalDestination::new(text, false, false).map_err(lift)?;
    let plan =
        indexed.prepare_restore(&options, listed.clone(), &destination, false).map_err(lift)?;
    indexed.restore(plan, &options, listed.clone(), &destination).map_err(lift)?;

    for entry in listed {
        let (path, node) = entry.map_err(lift)?;
        compare(&into.join(&path), &node)
            .map_err(|what| broken(&format!("{} is not as it was: {what}", path.display())))?;
    }
    Ok(())
}

fn empty(into: &Path) -> Result<(), SnapshotError> {
    let meta = fs::symlink_metadata(into).map_err(|error| of_kernel(DOING, error))?;
    if !meta.is_dir() {
        return Err(SnapshotError::Occupied);
    }
    let mut entries = fs::read_dir(into).map_err(|error| of_kernel(DOING, error))?;
    if entries.next().is_some() { Err(SnapshotError::Occupied) } else { Ok(()) }
}

/// Says what is not as it should be. Contents are not read again: each piece was authenticated.
fn compare(at: &Path, node: &Node) -> Result<(), String> {
    let found = fs::symlink_metadata(at).map_err(|error| error.to_string())?;
    let same = |what: &str, is: bool| if is { Ok(()) } else { Err(what.to_owned()) };
    match &node.node_type {
        NodeType::Dir => same("a directory", found.is_dir())?,
        NodeType::File => {
            same("a file", found.is_file())?;
            same("its size", found.len() == node.meta.size)?;
        }
        link @ NodeType::Symlink { .. } => {
            same("a link", found.is_symlink())?;
            let target: PathBuf = fs::read_link(at).map_err(|error| error.to_string())?;
            return same("its target", target == link.to_link());
        }
        _ => return Err("a thing of a kind that is never taken".to_owned()),
    }
    same("its mode", mode(&found) == node.meta.mode.unwrap_or(0) & 0o777)
}

fn mode(found: &Found) -> u32 {
    found.mode() & 0o777
}

fn broken(text: &str) -> SnapshotError {
    SnapshotError::Broken { doing: DOING, source: text.into() }
}
