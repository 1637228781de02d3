//! The files of a smartbox's home. They are read and written beside the sandbox, by the driver's
//! [`smartbox_core::home::port::Homes`]: nobody is woken, and a sandbox that starts or ends meanwhile
//! makes no difference, since every change is one rename.

mod archive;
mod batch;
mod change;
mod look;
mod upload;

pub use archive::{Arriving, Unpacked};
pub use batch::{FileDone, FileOp, MAX_OPS};
pub use upload::{Upload, Written};

use smartbox_core::home::HomeOf;
use smartbox_core::id::SmartboxId;
use tokio::sync::OwnedRwLockReadGuard;

use crate::control::Control;
use crate::error::ControlError;

/// A home to begin something in. As long as it is held the box is not forgotten, so that nothing makes
/// a directory anew for a box that is gone.
struct Entered {
    of: HomeOf,
    _held: OwnedRwLockReadGuard<()>,
}

impl Control {
    async fn enter(&self, id: &SmartboxId) -> Result<Entered, ControlError> {
        let missing = ControlError::Missing { what: "smartbox" };
        let Some(keeper) = self.keeper(id) else { return Err(missing) };
        let held = keeper.enter().await;
        let row = self.row(id).await?.filter(|row| !row.removing).ok_or(missing)?;
        let limits = self.parts.settings.tiers.get(&row.tier);
        let of = HomeOf {
            smartbox: row.id,
            slot: row.slot,
            disk_bytes: limits.map_or(0, |limits| limits.disk_bytes),
        };
        Ok(Entered { of, _held: held })
    }
}
