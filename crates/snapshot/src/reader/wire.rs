//! What the platform and the reader say to each other: one message a packet, at most one descriptor
//! with it. Neither side believes a length; what the reader says is checked where it arrives.

use serde::{Deserialize, Serialize};

/// Larger packets are not sent, and not received.
pub(crate) const PACKET: usize = 96 * 1024;

/// A path relative to the home, its names joined by `/`.
pub(crate) type Name = Vec<u8>;

/// A time of a file: seconds and nanoseconds.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Time(pub(crate) i64, pub(crate) u32);

/// What the platform asks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// First: where to read, and as whom.
    Begin(Begin),
    /// Go through the home. Files that changed at this time or later are looked into.
    Walk(Time),
    /// Copy files of the home into scratch.
    Copy(Vec<Order>),
    /// Open a file of the home.
    Open(Name),
    /// Open a file of scratch.
    OpenCopy(String),
    /// Bring the copy of a database to rest: what stands in these logs of it into itself.
    Rest(String, Vec<String>),
    /// Copy a database of the home by its own online backup.
    Online(Name, String),
}

/// Where to read, and as whom.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    /// What the view is put over.
    pub(crate) root: Name,
    /// The home.
    pub(crate) home: Name,
    /// The directory for copies, if there are to be any.
    pub(crate) scratch: Option<Name>,
    /// The box's uid and gid.
    pub(crate) user: Option<(u32, u32)>,
    /// What is left out.
    pub(crate) exclude: Vec<String>,
    /// Whether databases in the home are opened where they lie, which takes writing beside them.
    pub(crate) live: bool,
}

/// One file to copy, and the name of the copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) from: Name,
    pub(crate) to: String,
}

/// What the reader answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Say {
    /// It sees the home and nothing else.
    Ready,
    /// Part of a walk.
    Found(Vec<Found>),
    /// The end of a walk.
    End(End),
    /// What came of each copy; nothing if the file is no longer one.
    Copied(Vec<Option<Copied>>),
    /// The descriptor comes with it.
    Opened,
    /// There is no such file.
    Gone,
    /// A database is at rest, or is not one.
    Rested(bool),
    /// It cannot, and why: an error's number of the kernel.
    Failed(Name, i32),
}

/// How a walk ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct End {
    /// Pipes, sockets, devices, and what is mounted.
    pub(crate) left_out: u64,
    /// The first thing that could not be looked at.
    pub(crate) hole: Option<(Name, i32)>,
}

/// A thing in a home. Directories come before what is in them, names in the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// 0 for what is in the home itself.
    pub(crate) depth: u16,
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) stat: Looks,
    /// Whether it begins like a database.
    pub(crate) database: bool,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    Directory,
    File,
    /// With its target.
    Link(Name),
}

/// What the kernel says of a thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Looks {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) inode: u64,
    pub(crate) mtime: Time,
    pub(crate) ctime: Time,
}

/// A copy.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Copied {
    /// What the file looked like before.
    pub(crate) stat: Looks,
    /// Whether what changes it from then on shows.
    pub(crate) settled: bool,
}
