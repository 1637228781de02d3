//! Homes as wholes: where one lies, and how another takes its place. A driver has them as directories
//! of this machine; whoever copies one is told which user may read it.

use std::path::PathBuf;

use super::HomeOf;
use super::port::FileError;
use crate::BoxFuture;

/// Where a home lies on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomePlace {
    /// The box's own directory, which holds what follows. Nothing of another box is beneath it.
    pub root: PathBuf,
    /// The home: `root` and one name.
    pub home: PathBuf,
    /// Where parts of the home may be copied to for a while: `root` and one name, beyond the box's reach,
    /// on the same file system, and its reader's to write.
    pub scratch: PathBuf,
    /// The host uid and gid that the box has; none if boxes have no uid of their own here.
    pub user: Option<(u32, u32)>,
}

/// Homes as wholes. No sandbox may use a home while another takes its place; the caller sees to that.
pub trait Places: Send + Sync {
    /// Where a home lies; nothing if it was never made, or is lost.
    fn place(&self, of: HomeOf) -> BoxFuture<'_, Result<Option<HomePlace>, FileError>>;
    /// An empty directory, the caller's own, in which another home is put together. What an earlier one
    /// left there is removed.
    fn stage(&self, of: HomeOf) -> BoxFuture<'_, Result<PathBuf, FileError>>;
    /// Makes what is staged the home, in one step, and gives it to the box's user. What was the home is
    /// removed. Killed half-way, the home is the one or the other, whole.
    fn adopt(&self, of: HomeOf) -> BoxFuture<'_, Result<(), FileError>>;
}
