//! Boxes that move in and out: what an archive of ours holds, which layouts of others are known, and
//! where each of their files belongs in a home. Pure; bytes are read and written elsewhere.

mod config;
mod layout;
mod manifest;
mod models;
mod plan;
pub mod port;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use config::{credentials, relocate, secret_variables};
pub use layout::{Layout, Marker, Unclear, detect};
pub use manifest::{BOX, FORMAT, HOME, MANIFEST, Manifest, Part, Record, history_part};
pub use models::leave_models;
pub use plan::{Place, Plan, Target};

/// Something that was found where a box is to be imported from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path: relative, without a slash at either end.
    pub path: Vec<u8>,
    /// Bytes, of a file.
    pub size: u64,
}

impl Found {
    /// A file of this size.
    pub fn new(path: impl Into<Vec<u8>>, size: u64) -> Self {
        Self { path: path.into(), size }
    }
}

/// What a box was imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ImportOrigin)]
pub enum Origin {
    /// An archive that `smartbox export` made.
    Export,
    /// A home directory with an assistant's state in it.
    Home,
    /// An assistant's state directory itself.
    State,
    /// An archive that `openclaw backup create` made.
    Backup,
    /// A bucket with `backup.tar.gz` in it.
    BucketTar,
    /// A bucket with the files of `/root` one by one.
    BucketRoot,
    /// A bucket with the files of the state directory one by one.
    BucketState,
    /// A bucket with state, workspace and skills side by side.
    BucketParts,
}

crate::words! {
    Origin {
        Export = "export", Home = "home", State = "state", Backup = "backup",
        BucketTar = "bucket-tar", BucketRoot = "bucket-root", BucketState = "bucket-state",
        BucketParts = "bucket-parts",
    }
}

/// Whether `path` is `dir` or beneath it, and what of it is beneath.
pub(crate) fn beneath<'a>(path: &'a [u8], dir: &[u8]) -> Option<&'a [u8]> {
    if dir.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(dir)?;
    match rest.split_first() {
        None => Some(rest),
        Some((b'/', rest)) => Some(rest),
        Some(_) => None,
    }
}

/// Two parts of a path as one; either may be empty.
pub(crate) fn join(dir: &[u8], rest: &[u8]) -> Vec<u8> {
    match (dir.is_empty(), rest.is_empty()) {
        (true, _) => rest.to_vec(),
        (_, true) => dir.to_vec(),
        _ => [dir, rest].join(&b'/'),
    }
}
