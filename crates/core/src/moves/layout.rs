//! Which layout lies before us. It goes by names alone: nothing is opened.

use std::collections::{BTreeMap, BTreeSet};

use super::{BOX, Found, HOME, MANIFEST, Origin, join};

/// Directories that an assistant has its state in, within a home. The first that is there counts.
pub(super) const STATES: [&str; 3] = [".openclaw", ".clawdbot", ".moltbot"];
/// Names that its configuration has had.
pub(super) const CONFIGS: [&str; 3] = ["openclaw.json", "clawdbot.json", "moltbot.json"];
/// Directories in which it has worked, within a home.
pub(super) const WORKSPACES: [&str; 2] = ["openclaw", "clawd"];
/// Directories within one another that are looked through.
const DEPTH: usize = 6;
/// An archive that is no longer than this is what a failed upload left.
const STUB: u64 = 200;

/// What was found, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Which.
    pub origin: Origin,
    /// The directory in which it lies; empty for all of it.
    pub at: Vec<u8>,
    /// What told it.
    pub marker: Marker,
}

/// What told a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marker {
    /// A directory within `at`.
    Directory(&'static str),
    /// An archive within `at`, which has to be unpacked and looked at by itself.
    Archive(&'static str),
    /// Several things side by side.
    Names,
}

impl Layout {
    /// The archive that has to be unpacked first, if it is one.
    pub fn archive(&self) -> Option<Vec<u8>> {
        match self.marker {
            Marker::Archive(name) => Some(join(&self.at, name.as_bytes())),
            _ => None,
        }
    }
}

/// Why it is not clear what to import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// There is nothing.
    #[error("there is nothing in it")]
    Empty,
    /// There is something, but no assistant.
    #[error("no assistant's home, state or backup is in it; the first names in it are {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// There is more than one.
    #[error("there is more than one in it: {}", .0.join(", "))]
    Several(Vec<String>),
    /// There are an assistant's home and an assistant's state in the same directory.
    #[error("`{0}` looks like an assistant's home and like its state directory, too")]
    Both(String),
}

/// What is in one directory, by name: whether something is beneath, and the size of a file.
type Level = BTreeMap<String, Option<u64>>;

/// Finds out what was found. `within` says in which directory to look, where there are several.
pub fn detect(found: &[Found], within: &str) -> Result<Layout, Unclear> {
    let within = within.trim_matches('/');
    let levels = levels(found, within);
    if found.is_empty() || levels.is_empty() {
        return Err(Unclear::Empty);
    }
    let mut layouts: Vec<(String, Result<Layout, Unclear>)> = Vec::new();
    for (at, names) in &levels {
        // What lies within something that is known already is part of that.
        let inner = layouts.iter().any(|(known, _)| within_or_same(at, known));
        if !inner && let Some(layout) = look(at, names, &levels) {
            layouts.push((at.clone(), layout));
        }
    }
    match (layouts.pop(), layouts.is_empty()) {
        (None, _) => {
            let top = levels.get(within).into_iter().flat_map(BTreeMap::keys);
            Err(Unclear::Unknown(top.take(5).cloned().collect()))
        }
        (Some((_, one)), true) => one,
        (Some(last), false) => {
            let all = layouts.into_iter().chain([last]).map(|(at, _)| at);
            Err(Unclear::Several(all.take(10).collect()))
        }
    }
}

fn within_or_same(at: &str, known: &str) -> bool {
    super::beneath(at.as_bytes(), known.as_bytes()).is_some()
}

fn levels(found: &[Found], within: &str) -> BTreeMap<String, Level> {
    let mut levels: BTreeMap<String, Level> = BTreeMap::new();
    for one in found {
        let Ok(path) = std::str::from_utf8(&one.path) else { continue };
        if super::beneath(path.as_bytes(), within.as_bytes()).is_none_or(<[u8]>::is_empty) {
            continue;
        }
        let mut at = 0;
        for _ in 0..DEPTH + within.matches('/').count() {
            let end = path[at..].find('/').map(|more| at + more);
            let name = &path[at..end.unwrap_or(path.len())];
            let dir = path[..at].trim_end_matches('/');
            if within_or_same(dir, within) {
                let kind = end.is_none().then_some(one.size);
                levels.entry(dir.to_owned()).or_default().insert(name.to_owned(), kind);
            }
            match end {
                Some(end) => at = end + 1,
                None => break,
            }
        }
    }
    levels
}

fn look(
    at: &str,
    names: &Level,
    levels: &BTreeMap<String, Level>,
) -> Option<Result<Layout, Unclear>> {
    let has_dir = |name: &str| matches!(names.get(name), Some(None));
    let has_file = |name: &str| matches!(names.get(name), Some(Some(_)));
    let whole = |name: &str| matches!(names.get(name), Some(Some(size)) if *size > STUB);
    let layout = |origin, marker| Some(Ok(Layout { origin, at: at.as_bytes().to_vec(), marker }));
    if has_file(MANIFEST) || (has_file(BOX) && has_dir(HOME)) {
        return layout(Origin::Export, Marker::Names);
    }
    if has_file("manifest.json") && has_dir("payload") {
        return layout(Origin::Backup, Marker::Names);
    }
    let state = STATES.into_iter().find(|name| has_dir(name));
    let is_state = CONFIGS.iter().any(|name| has_file(name));
    match (state, is_state) {
        (Some(_), true) => return Some(Err(Unclear::Both(at.to_owned()))),
        (Some(name), false) => return layout(Origin::Home, Marker::Directory(name)),
        (None, true) => return layout(Origin::State, Marker::Names),
        (None, false) => {}
    }
    // In the order in which the original itself restored.
    for name in ["backup.tar.gz", "backup-archive.tar.gz"] {
        if whole(name) {
            return layout(Origin::BucketTar, Marker::Archive(name));
        }
    }
    let inside = |name: &str| -> BTreeSet<&str> {
        let dir = String::from_utf8_lossy(&join(at.as_bytes(), name.as_bytes())).into_owned();
        levels.get(&dir).into_iter().flat_map(BTreeMap::keys).map(String::as_str).collect()
    };
    let looks_like_home = |names: &BTreeSet<&str>| STATES.iter().any(|state| names.contains(state));
    if has_dir("root") && looks_like_home(&inside("root")) {
        return layout(Origin::BucketRoot, Marker::Directory("root"));
    }
    for name in ["openclaw", "clawdbot"] {
        let inner = inside(name);
        if has_dir(name) && CONFIGS.iter().any(|config| inner.contains(config)) {
            let parts = has_dir("workspace") || has_dir("skills");
            let origin = if parts { Origin::BucketParts } else { Origin::BucketState };
            return layout(origin, Marker::Directory(name));
        }
    }
    None
}

#[cfg(test)]
mod tests;
