//! Walking a cgroup directory: its processes, its removal.

use std::fs;
use std::path::Path;

/// Every process in `dir` and beneath it.
pub(super) fn pids(dir: &Path) -> Vec<i32> {
    let mut pids = Vec::new();
    collect(dir, &mut pids);
    pids
}

fn collect(dir: &Path, into: &mut Vec<i32>) {
    if let Ok(text) = fs::read_to_string(dir.join("cgroup.procs")) {
        into.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()));
    }
    for child in children(dir) {
        collect(&child, into);
    }
}

/// Removes `dir` and everything beneath it; `false` if processes are left.
pub(super) fn remove(dir: &Path) -> bool {
    for child in children(dir) {
        remove(&child);
    }
    match fs::remove_dir(dir) {
        Ok(()) => true,
        Err(e) => e.kind() == std::io::ErrorKind::NotFound,
    }
}

fn children(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
