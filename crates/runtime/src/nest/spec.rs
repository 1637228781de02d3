//! What the driver tells the helper, and what the helper answers. Both ends are the same binary.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use smartbox_link::inherit::Inherit;

/// How much isolation there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// As root: a host uid per box, limits, page-out.
    Full,
    /// As an ordinary user: every namespace, the rest where delegated.
    Reduced,
    /// None at all.
    None,
}

/// One order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Make a sandbox.
    Make(Box<Make>),
    /// Change the largest file that some processes may write.
    Limit(Limit),
    /// Find out whether a level works on this machine.
    Probe {
        /// Which.
        profile: Level,
    },
}

/// A sandbox to make.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Make {
    pub(crate) level: Level,
    /// The uid and gid that the box has on the host.
    pub(crate) host_uid: u32,
    pub(crate) host_gid: u32,
    /// Init's executable on the host.
    pub(crate) init: PathBuf,
    /// An empty directory on which the new root is mounted, in the new namespace only.
    pub(crate) stage: PathBuf,
    /// The box's directory: `home`, `log` and `run` beneath it.
    pub(crate) box_dir: PathBuf,
    pub(crate) engine_dir: PathBuf,
    /// Whether it has a name service.
    pub(crate) names: bool,
    /// Descriptor numbers in it are filled in by the helper.
    pub(crate) inherit: Inherit,
    pub(crate) cgroups: Cgroups,
    /// See [`Inherit::lease_fd`].
    pub(crate) lease: Option<PathBuf>,
    /// Bytes of the private `/tmp`.
    pub(crate) tmp_bytes: u64,
    /// Processes, where no cgroup counts them.
    pub(crate) nproc: Option<u64>,
}

/// What to do with cgroup files before the namespaces close.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cgroups {
    /// `cgroup.procs` files to join before the cgroup namespace is made: its root.
    pub(crate) roots: Vec<PathBuf>,
    /// `cgroup.procs` files to join for good.
    pub(crate) init: Vec<PathBuf>,
    /// Files to write afterwards; `true` where failure is an error.
    pub(crate) writes: Vec<(PathBuf, String, bool)>,
    /// `cgroup.procs` files by which init's children join the engine's cgroups.
    pub(crate) engine: Vec<PathBuf>,
    /// The engine's directory in the tracking hierarchy.
    pub(crate) track: Option<PathBuf>,
    /// The engine's out-of-memory counter.
    pub(crate) oom: Option<PathBuf>,
}

/// Processes whose soft `RLIMIT_FSIZE` to change.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Limit {
    /// Become this uid and gid first, so that no process of anyone else can be meant.
    pub(crate) become_uid: Option<(u32, u32)>,
    pub(crate) pids: Vec<i32>,
    /// Bytes; `None` raises the soft limit to the hard one.
    pub(crate) bytes: Option<u64>,
}

/// What the helper says: once as soon as there is a process, so that it is known even if the
/// helper is killed, and once at the end.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    /// Whether this is the end.
    pub(crate) done: bool,
    /// The process that is, or was to become, init; a child of the helper's parent.
    pub(crate) pid: Option<i32>,
    /// Why it did not work.
    pub(crate) fault: Option<Fault>,
}

impl Reply {
    pub(crate) fn failed(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }
}

/// What failed, and how.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{doing}: {text}")]
pub(crate) struct Fault {
    pub(crate) doing: String,
    pub(crate) text: String,
    pub(crate) errno: Option<i32>,
}
