//! What init inherits from the platform's helper: one JSON document and fixed descriptors.
//!
//! Descriptor 3 is the document (a sealed memory file), 4 the link's listening Unix socket, 5 the
//! pass listener, 6 the engine log, 7 the exit record and 8 the older half of the log (all of them
//! append-only, in a directory that the box cannot see; the log's may be read, too). Further
//! descriptors are named in the document.

use serde::{Deserialize, Serialize};

/// The document on descriptor [`FD_DOCUMENT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inherit {
    /// The smartbox's id.
    pub id: String,
    /// The fencing token of this sandbox.
    pub fence: u64,
    /// The home as seen inside.
    pub home: String,
    /// Without a sandbox nothing lies where boxes know it: directories by the names that boxes have for
    /// them, each with the one where it really lies. Init says the second where an order says the first.
    #[serde(default)]
    pub places: Vec<(String, String)>,
    /// Loopback TCP ports that init listens on and hands to the platform by [`crate::pass`].
    pub listeners: Vec<u16>,
    /// Open `cgroup.procs`/`tasks` files: a child writes `0` to each to join the engine's cgroups.
    pub join_fds: Vec<i32>,
    /// The engine's cgroup directory in the tracking hierarchy, in which init makes one directory per exec.
    pub track_fd: Option<i32>,
    /// `memory.events` (v2) or `memory.oom_control` (v1) of the engine's cgroup, to tell running out of memory.
    pub oom_fd: Option<i32>,
    /// Bytes that the two files of the engine log hold together; the oldest go first.
    pub log_cap: u64,
    /// A file whose lock the platform's test harness holds; when the lock is free, init ends the box.
    pub lease_fd: Option<i32>,
    /// The box's name service on its loopback, which its own user may not bind: a listening TCP socket,
    /// which init hands over like its listeners, and a UDP socket, whose datagrams init carries there.
    #[serde(default)]
    pub names_fds: Option<[i32; 2]>,
    /// Bytes of the largest file that may be written (RLIMIT_FSIZE); 0 for none.
    pub file_bytes: u64,
}

/// The variable that the box's processes carry where no cgroup holds them: its id, a dot, and more.
pub const MARK: &str = "SMARTBOX_GROUP";
/// The document.
pub const FD_DOCUMENT: i32 = 3;
/// The link's listener.
pub const FD_LINK: i32 = 4;
/// The pass listener.
pub const FD_PASS: i32 = 5;
/// The engine log.
pub const FD_LOG: i32 = 6;
/// The exit record: one JSON line per end of the engine.
pub const FD_EXITS: i32 = 7;
/// The older half of the engine log.
pub const FD_PAST: i32 = 8;
/// The last of the fixed ones.
pub const FD_LAST: i32 = FD_PAST;
