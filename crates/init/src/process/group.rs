//! Processes that belong together and are killed together: a cgroup of their own where there is
//! one, else what `/proc` shows to descend from them.

use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use smartbox_link::inherit::MARK;
use tokio::time::{Instant, timeout};

use super::{Reaper, Spawner, tree};

/// How long a kill is waited for. A frozen group of version 1 dies at the thaw.
const PATIENCE: Duration = Duration::from_secs(5);

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A group.
pub(crate) struct Group {
    name: String,
    hold: Hold,
    reaper: Arc<Reaper>,
}

enum Hold {
    Cgroup { track: Arc<OwnedFd>, dir: OwnedFd, procs: OwnedFd },
    Tree,
}

impl Group {
    /// Makes a group; `kind` is the first letter of its name.
    pub(crate) fn new(spawner: &Spawner, kind: char) -> Self {
        let reaper = Arc::clone(&spawner.reaper);
        let made = spawner.track.as_ref().and_then(|track| cgroup(track, kind));
        let (name, hold) = made.unwrap_or_else(|| {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            (format!("{}.{kind}{number}", spawner.id), Hold::Tree)
        });
        Self { name, hold, reaper }
    }

    /// The file that a child writes `0` to; none without a cgroup.
    pub(crate) fn procs(&self) -> Option<RawFd> {
        match &self.hold {
            Hold::Cgroup { procs, .. } => Some(procs.as_raw_fd()),
            Hold::Tree => None,
        }
    }

    /// The variable that members carry; none where a cgroup holds them.
    pub(crate) fn mark(&self) -> Option<(String, String)> {
        matches!(self.hold, Hold::Tree).then(|| (MARK.to_owned(), self.name.clone()))
    }

    /// Whether a cgroup holds the members.
    pub(crate) fn is_cgroup(&self) -> bool {
        matches!(self.hold, Hold::Cgroup { .. })
    }

    /// Kills every member and waits until none is left. Says whether that came true in time.
    pub(crate) async fn kill(&self, main: Option<Pid>) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            let reaped = self.reaper.reaped.notified();
            let left = match &self.hold {
                Hold::Cgroup { dir, .. } => kill_cgroup(dir),
                Hold::Tree => tree::kill(main, &self.name),
            };
            // A killed child of init stays until it is reaped.
            if !left && main.is_none_or(|main| !self.reaper.holds(main)) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            // Every member is reaped by init in the end; members of members need the look again.
            let _ = timeout(Duration::from_millis(20), reaped).await;
        }
    }

    /// Kills what is left and gives the cgroup back; one that does not die in time is looked after
    /// until it does. Says whether all are dead now.
    pub(crate) async fn end(self, main: Option<Pid>) -> bool {
        let killed = self.kill(main).await;
        if killed && self.remove() {
            return true;
        }
        tokio::spawn(async move {
            while !(self.kill(main).await && self.remove()) {
                let _ = timeout(Duration::from_secs(1), self.reaper.reaped.notified()).await;
            }
        });
        killed
    }

    fn remove(&self) -> bool {
        match &self.hold {
            Hold::Cgroup { track, .. } => {
                let removed = unlinkat(track, self.name.as_str(), AtFlags::REMOVEDIR);
                matches!(removed, Ok(()) | Err(Errno::NOENT))
            }
            Hold::Tree => true,
        }
    }
}

fn cgroup(track: &Arc<OwnedFd>, kind: char) -> Option<(String, Hold)> {
    for _ in 0..64 {
        let name = format!("{kind}{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        match mkdirat(track, name.as_str(), Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) => {}
            Err(_) => return None,
            Ok(()) => {
                let dir = open(track, &name, OFlags::RDONLY | OFlags::DIRECTORY);
                let procs = dir.as_ref().and_then(|dir| open(dir, "cgroup.procs", OFlags::WRONLY));
                let (Some(dir), Some(procs)) = (dir, procs) else {
                    let _ = unlinkat(track, name.as_str(), AtFlags::REMOVEDIR);
                    return None;
                };
                return Some((name, Hold::Cgroup { track: Arc::clone(track), dir, procs }));
            }
        }
    }
    None
}

fn open(at: &OwnedFd, name: &str, flags: OFlags) -> Option<OwnedFd> {
    openat(at, name, flags | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()).ok()
}

/// Kills everything in a cgroup once. Says whether something was there.
fn kill_cgroup(dir: &OwnedFd) -> bool {
    let at_once = open(dir, "cgroup.kill", OFlags::WRONLY);
    let killed = at_once.is_some_and(|file| rustix::io::write(&file, b"1") == Ok(1));
    let Some(procs) = open(dir, "cgroup.procs", OFlags::RDONLY) else { return false };
    let mut text = String::new();
    if std::fs::File::from(procs).read_to_string(&mut text).is_err() {
        return true;
    }
    let pids = text.lines().filter_map(|line| line.parse().ok()).filter_map(Pid::from_raw);
    let mut some = false;
    for pid in pids {
        some = true;
        if !killed {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    some
}
