//! What is left out of a snapshot: globs over paths relative to the home, as bytes.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use smartbox_core::snapshot::port::SnapshotError;

/// What OpenClaw makes again by itself (caches, locks, indexes half made, logs, links to its own
/// installation), and uploads on their way into the home. Its state is in `.openclaw` of a box's home and
/// nowhere else, so that a directory of somebody's work that has one of these names stays. A database's
/// `-wal` and `-journal` are not among these: with the database they are one.
pub const USUAL: &[&str] = &[
    ".smartbox/incoming",
    ".openclaw/tmp",
    ".openclaw/cache/control-ui-assets",
    ".openclaw/plugin-skills",
    ".openclaw/logs",
    "**/node-compile-cache",
    ".openclaw/**/*.lock.sqlite",
    ".openclaw/**/*.lock.sqlite-*",
    ".openclaw/**/*.generation-*.sqlite",
    ".openclaw/**/*.generation-*.sqlite-*",
    ".openclaw/**/*.reindex-lock.sqlite",
    ".openclaw/**/*.reindex-lock.sqlite-*",
    // The shared memory of a database in WAL mode is made anew by whoever opens it first.
    "**/*.sqlite-shm",
];

/// A compiled list.
#[derive(Debug, Clone)]
pub(crate) struct Excludes(GlobSet);

impl Excludes {
    pub(crate) fn new(globs: &[String]) -> Result<Self, SnapshotError> {
        let bad = |source: globset::Error| SnapshotError::Broken {
            doing: "reading what a snapshot leaves out",
            source: source.into(),
        };
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(GlobBuilder::new(glob).literal_separator(true).build().map_err(bad)?);
        }
        set.build().map(Self).map_err(bad)
    }

    /// Whether a path is left out, with all beneath it.
    pub(crate) fn matches(&self, relative: &Path) -> bool {
        self.0.is_match(std::ffi::OsStr::from_bytes(relative.as_os_str().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_and_its_log_stay_together() {
        let globs: Vec<String> = USUAL.iter().map(|glob| (*glob).to_owned()).collect();
        let excludes = Excludes::new(&globs).unwrap();
        for kept in [
            ".openclaw/state/openclaw.sqlite",
            ".openclaw/state/openclaw.sqlite-wal",
            ".openclaw/state/openclaw.sqlite-journal",
            ".openclaw/workspace/tmp",
            ".openclaw/workspace/MEMORY.md",
            ".openclaw/workspace/logs",
            ".openclaw/workspace/.openclaw/tmp",
            "project/.openclaw/logs",
            "project/x.lock.sqlite",
            ".openclaw/agents/main/agent/openclaw-agent.sqlite",
            ".openclaw/agents/main/sessions/cold/1.jsonl.zst",
            ".openclaw/openclaw.json.bak.1",
            ".openclaw/.env",
            ".smartbox/trust.pem",
            "cache",
        ] {
            assert!(!excludes.matches(Path::new(kept)), "{kept}");
        }
        for gone in [
            ".openclaw/tmp",
            ".openclaw/cache/control-ui-assets",
            ".openclaw/state/openclaw.sqlite-shm",
            ".openclaw/logs",
            ".openclaw/plugin-skills",
            ".openclaw/x.lock.sqlite",
            ".openclaw/state/x.lock.sqlite",
            ".openclaw/state/x.lock.sqlite-wal",
            ".openclaw/agents/main/agent/memory.generation-7.sqlite",
            ".openclaw/agents/main/agent/memory.generation-7.sqlite-wal",
            ".openclaw/agents/main/agent/memory.reindex-lock.sqlite",
            ".smartbox/incoming",
            "node-compile-cache",
        ] {
            assert!(excludes.matches(Path::new(gone)), "{gone}");
        }
    }

    #[test]
    fn a_star_stays_within_a_name() {
        let excludes = Excludes::new(&["a/*.log".to_owned()]).unwrap();
        assert!(excludes.matches(Path::new("a/x.log")));
        assert!(!excludes.matches(Path::new("a/b/x.log")));
    }
}
