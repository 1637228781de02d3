//! Our own cgroup subtree: `smartbox-<installation>/<box>/{init,engine}`, in version 1, version 2
//! or both, whatever the host has. Nothing outside the subtree is touched.

mod find;
mod limit;
mod tree;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use smartbox_core::id::SmartboxId;

/// The subtree in every hierarchy that we may use.
#[derive(Debug, Clone)]
pub(crate) struct Cgroups {
    hierarchies: Vec<Hierarchy>,
    /// Index of the hierarchy that tells which processes are a box's.
    track: usize,
}

/// One hierarchy.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy {
    /// `…/smartbox-<installation>`.
    base: PathBuf,
    unified: bool,
    controllers: Vec<String>,
}

impl Hierarchy {
    fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|c| c == controller)
    }

    fn of(&self, id: &SmartboxId) -> PathBuf {
        self.base.join(id.as_str())
    }
}

impl Cgroups {
    /// Finds what may be used; `None` if there is nothing. The reason is for a person.
    pub(crate) fn find(installation: &str) -> Result<Self, String> {
        find::find(installation)
    }

    /// One phrase: what there is.
    pub(crate) fn flavour(&self) -> String {
        let unified = self.hierarchies.iter().any(|h| h.unified);
        let legacy = self.hierarchies.iter().any(|h| !h.unified);
        let kind = match (unified, legacy) {
            (true, true) => "version 1 with a unified hierarchy (hybrid)",
            (true, false) => "version 2",
            _ => "version 1",
        };
        format!("{kind}: {}", self.controllers().join(", "))
    }

    fn controllers(&self) -> Vec<&str> {
        self.hierarchies.iter().flat_map(|h| h.controllers.iter().map(String::as_str)).collect()
    }

    /// Whether any hierarchy has this controller.
    pub(crate) fn has(&self, controller: &str) -> bool {
        self.hierarchies.iter().any(|h| h.has(controller))
    }

    /// How processes are frozen here.
    pub(crate) fn freezer(&self) -> Option<&'static str> {
        let track = &self.hierarchies[self.track];
        match (track.unified, track.has("freezer")) {
            (true, _) => Some("cgroup.freeze"),
            (false, true) => Some("freezer.state"),
            _ => None,
        }
    }

    fn tracking(&self, id: &SmartboxId) -> PathBuf {
        self.hierarchies[self.track].of(id)
    }

    fn is_unified(&self) -> bool {
        self.hierarchies[self.track].unified
    }

    /// Makes the box's directories; the tracking one of the engine belongs to the box's user, so
    /// that init can make one beneath it per execution.
    pub(crate) fn make(&self, id: &SmartboxId, owner: Option<(u32, u32)>) -> io::Result<()> {
        for hierarchy in &self.hierarchies {
            hierarchy.make(id)?;
        }
        if let Some((uid, gid)) = owner {
            let engine = self.tracking(id).join("engine");
            for path in [engine.join("cgroup.threads"), engine.join("cgroup.procs"), engine] {
                match std::os::unix::fs::chown(path, Some(uid), Some(gid)) {
                    // Version 1 has no `cgroup.threads`.
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
        }
        Ok(())
    }

    /// Every process of the engine, executions included.
    pub(crate) fn engine_pids(&self, id: &SmartboxId) -> Vec<i32> {
        tree::pids(&self.tracking(id).join("engine"))
    }

    /// Every process of the box.
    pub(crate) fn pids(&self, id: &SmartboxId) -> Vec<i32> {
        let mut pids: Vec<i32> =
            self.hierarchies.iter().flat_map(|h| tree::pids(&h.of(id))).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Asks the kernel to freeze or thaw the engine; see [`Self::is_settled`].
    pub(crate) fn freeze(&self, id: &SmartboxId, frozen: bool) -> io::Result<()> {
        let engine = self.tracking(id).join("engine");
        if self.is_unified() {
            fs::write(engine.join("cgroup.freeze"), if frozen { "1" } else { "0" })
        } else {
            fs::write(engine.join("freezer.state"), if frozen { "FROZEN" } else { "THAWED" })
        }
    }

    /// Whether the engine is to be frozen.
    pub(crate) fn wants_frozen(&self, id: &SmartboxId) -> bool {
        let engine = self.tracking(id).join("engine");
        if self.is_unified() {
            fs::read_to_string(engine.join("cgroup.freeze")).is_ok_and(|text| text.trim() == "1")
        } else {
            fs::read_to_string(engine.join("freezer.self_freezing"))
                .is_ok_and(|text| text.trim() == "1")
        }
    }

    /// Whether every process of the engine has done what [`Self::freeze`] asked for.
    pub(crate) fn is_settled(&self, id: &SmartboxId, frozen: bool) -> bool {
        let engine = self.tracking(id).join("engine");
        if self.is_unified() {
            let wanted = if frozen { "frozen 1" } else { "frozen 0" };
            fs::read_to_string(engine.join("cgroup.events"))
                .is_ok_and(|text| text.lines().any(|line| line == wanted))
        } else {
            let wanted = if frozen { "FROZEN" } else { "THAWED" };
            fs::read_to_string(engine.join("freezer.state")).is_ok_and(|text| text.trim() == wanted)
        }
    }

    /// Kills the engine's processes at once, or with `all` init's too. May have to be repeated
    /// while processes fork, except where the kernel kills the whole group.
    pub(crate) fn kill(&self, id: &SmartboxId, all: bool) {
        let dir = if all { self.tracking(id) } else { self.tracking(id).join("engine") };
        if fs::write(dir.join("cgroup.kill"), "1").is_ok() {
            return;
        }
        for pid in tree::pids(&dir) {
            crate::native::kill_pid(pid);
        }
        // Version 1 delivers a kill to frozen processes only once they thaw.
        let _ = self.freeze(id, false);
    }

    /// Removes the box's directories; `false` while processes are left in them.
    pub(crate) fn remove(&self, id: &SmartboxId) -> bool {
        let mut gone = true;
        for hierarchy in &self.hierarchies {
            gone &= tree::remove(&hierarchy.of(id));
        }
        if gone {
            for hierarchy in &self.hierarchies {
                // Fails while another box is there, as it should.
                let _ = fs::remove_dir(&hierarchy.base);
            }
        }
        gone
    }

    /// Every box that has a directory here, by the names of the directories.
    pub(crate) fn boxes(&self) -> Vec<SmartboxId> {
        let mut ids: Vec<SmartboxId> = self
            .hierarchies
            .iter()
            .filter_map(|h| fs::read_dir(&h.base).ok())
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

impl Hierarchy {
    fn make(&self, id: &SmartboxId) -> io::Result<()> {
        // Somebody may remove the empty parent meanwhile.
        for last in [false, false, true] {
            match self.try_make(&self.of(id)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound && !last => {}
                result => return result,
            }
        }
        Ok(())
    }

    fn try_make(&self, dir: &Path) -> io::Result<()> {
        make_dir(&self.base)?;
        if self.unified {
            self.enable(&self.base)?;
        }
        make_dir(dir)?;
        make_dir(&dir.join("init"))?;
        make_dir(&dir.join("engine"))
    }

    /// Passes our controllers on to the directories beneath.
    fn enable(&self, dir: &Path) -> io::Result<()> {
        match self.enabling() {
            Some(text) => fs::write(dir.join("cgroup.subtree_control"), text),
            None => Ok(()),
        }
    }

    fn enabling(&self) -> Option<String> {
        let list: Vec<String> = self.controllers.iter().map(|c| format!("+{c}")).collect();
        (!list.is_empty()).then(|| list.join(" "))
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}
