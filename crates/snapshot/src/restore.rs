//! Restores a snapshot into an empty directory, and looks at what came out: the library only logs a
//! mode, a time or a link that it could not make.

use std::collections::HashSet;
use std::fs::{self, File, Metadata as Found};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustic_core::repofile::{Node, NodeType};
use rustic_core::{
    DataId, IndexedFullStatus, LocalDestination, LsOptions, Repository, RestoreOptions,
};
use rustix::fs::statvfs;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::SnapshotError;

use crate::backend::{shut, why};
use crate::error::{kernel, of_kernel};
use crate::open::Opened;
use crate::shown;
use crate::shown::{damage, is_name};
use crate::verify::find;

const WHAT: &str = "snapshot";
const DOING: &str = "restoring a snapshot";

/// A disk on which less than this is left is full.
const LEFT: u64 = 1 << 20;

/// How the library says, as it panics, that the cipher refused something.
const CIPHER: &str = "kind: Cryptography";

/// Files that are read back at a time.
const READERS: usize = 4;

pub(crate) fn restore(opened: Opened, id: &SnapshotId, into: &Path) -> Result<(), SnapshotError> {
    empty(into)?;
    let text = into.to_str().ok_or_else(|| broken("the directory's name is not text"))?;
    let file = find(&opened, id)?;
    let Opened { repository, gate } = opened;
    let lift = |error: Box<rustic_core::RusticError>| match kernel(error.as_ref()) {
        Some(kind) if gate.is_open() => of_kernel(DOING, kind.into()),
        _ => why(&gate, WHAT, error),
    };
    let indexed = repository.to_indexed().map_err(lift)?;
    let root = indexed.node_from_snapshot_and_path(&file, "").map_err(lift)?;
    let listed = indexed.ls(&root, &LsOptions::default()).map_err(lift)?;
    // The library goes where a name leads it, and a name twice may be a link first.
    let mut seen = HashSet::new();
    for entry in listed.clone() {
        let (path, node) = entry.map_err(lift)?;
        if !is_name(node.name().as_bytes()) || !seen.insert(path) {
            return Err(damage(format!("`{}` is not a name", node.name.escape_debug()).into()));
        }
    }
    drop(seen);

    let mut options = RestoreOptions::default();
    options.no_ownership = true;
    let destination = LocalDestination::new(text, false, false).map_err(lift)?;
    // It gives up in its threads by panicking, and by then it may be the disk or the storage.
    let done = catch_unwind(AssertUnwindSafe(|| {
        let plan = indexed.prepare_restore(&options, listed.clone(), &destination, false)?;
        indexed.restore(plan, &options, listed.clone(), &destination)
    }));
    match done {
        Ok(done) => done.map_err(lift)?,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map_or("", String::as_str);
            let fell = match text.contains(CIPHER) {
                true => damage("a piece of it cannot be deciphered".into()),
                false if full(into) => SnapshotError::Full,
                false => broken("it could not be written"),
            };
            return Err(shut(&gate, WHAT).unwrap_or(fell));
        }
    }

    let (mut files, mut locked) = (Vec::new(), Vec::new());
    for entry in listed {
        let (path, node) = entry.map_err(lift)?;
        let at = into.join(&path);
        compare(&at, &node)
            .map_err(|what| broken(&format!("{} is not as it was: {what}", path.display())))?;
        if let Some((needed, bits)) = shut_off(&node) {
            // A file later: it may have another name that is still to be compared.
            if node.is_dir() {
                mode_of(&at, bits | needed)?;
            }
            locked.push((at, needed, bits));
        }
        if node.is_file() {
            files.push((path, node.content.unwrap_or_default()));
        }
    }
    for (at, needed, bits) in &locked {
        mode_of(at, bits | needed)?;
    }
    contents(&indexed, into, files)?;
    // The innermost first: behind a closed door nothing can be closed.
    for (at, _, bits) in locked.into_iter().rev() {
        mode_of(&at, bits)?;
    }
    Ok(())
}

/// What its owner would need to look at it, and what it has, if that is not enough. We may be its owner,
/// and open it for as long as we look: nobody else sees a stage, and one that is left half-way is thrown
/// away.
fn shut_off(node: &Node) -> Option<(u32, u32)> {
    let needed = if node.is_dir() { 0o500 } else { 0o400 };
    let bits = node.meta.mode.unwrap_or(0) & 0o777;
    (!node.is_symlink() && bits & needed != needed).then_some((needed, bits))
}

fn mode_of(at: &Path, bits: u32) -> Result<(), SnapshotError> {
    let set = fs::set_permissions(at, fs::Permissions::from_mode(bits));
    set.map_err(|error| of_kernel(DOING, error))
}

/// Reads back what was written, and compares it with the hashes by which the snapshot names it: what the
/// cipher lets through is a piece of this home, and not yet the right one.
fn contents(
    indexed: &Repository<IndexedFullStatus>,
    into: &Path,
    files: Vec<(PathBuf, Vec<DataId>)>,
) -> Result<(), SnapshotError> {
    let (left, failed) = (Mutex::new(files.into_iter()), Mutex::new(None));
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while let Some((path, pieces)) = next() {
                    if let Err(error) = same(indexed, &into.join(&path), &pieces) {
                        left.lock().unwrap_or_else(PoisonError::into_inner).by_ref().for_each(drop);
                        *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

fn same(
    indexed: &Repository<IndexedFullStatus>,
    at: &Path,
    pieces: &[DataId],
) -> Result<(), SnapshotError> {
    let mut file = File::open(at).map_err(|error| of_kernel(DOING, error))?;
    for id in pieces {
        let entry = indexed.get_index_entry(id).map_err(|error| damage(error.into()))?;
        let same = shown::next(&mut file, *id, entry.data_length().into());
        if !same.map_err(|error| of_kernel(DOING, error))? {
            return Err(damage("a piece of a file in it is another one".into()));
        }
    }
    Ok(())
}

fn full(into: &Path) -> bool {
    statvfs(into).is_ok_and(|stat| {
        stat.f_bavail.saturating_mul(stat.f_frsize) < LEFT
            || (stat.f_files > 0 && stat.f_favail == 0)
    })
}

fn empty(into: &Path) -> Result<(), SnapshotError> {
    let meta = fs::symlink_metadata(into).map_err(|error| of_kernel(DOING, error))?;
    if !meta.is_dir() {
        return Err(SnapshotError::Occupied);
    }
    let mut entries = fs::read_dir(into).map_err(|error| of_kernel(DOING, error))?;
    if entries.next().is_some() { Err(SnapshotError::Occupied) } else { Ok(()) }
}

/// Says what is not as it should be, but for contents.
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
