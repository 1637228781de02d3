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

use std::sync::Arc;

use smartbox_core::home::HomeOf;
use smartbox_core::id::SmartboxId;
use tokio::sync::OwnedRwLockReadGuard;

use crate::control::Control;
use crate::error::ControlError;
use crate::keeper::Keeper;

/// A home to begin something in. As long as it is held the box is not forgotten, so that nothing makes
/// a directory anew for a box that is gone; nor does another home take its place.
struct Entered {
    of: HomeOf,
    keeper: Arc<Keeper>,
    held: OwnedRwLockReadGuard<u64>,
}

/// Which home it was.
struct Which(Arc<Keeper>, u64);

impl Entered {
    fn which(&self) -> Which {
        Which(self.keeper.clone(), *self.held)
    }
}

impl Control {
    /// Enters a home to write in. One that is gone comes back first: a file must not be the beginning of a
    /// blank home.
    async fn enter_to_write(&self, id: &SmartboxId) -> Result<Entered, ControlError> {
        let home = self.enter(id).await?;
        if let Some(row) = self.row(id).await? {
            self.begin_home(&home.keeper, &row).await?;
        }
        Ok(home)
    }

    /// Enters the home in which something was begun. What comes slowly is in nobody's way meanwhile; but
    /// what came for a home that another has taken the place of is refused: it would be lost with it.
    async fn enter_again(&self, id: &SmartboxId, which: &Which) -> Result<Entered, ControlError> {
        let home = self.enter(id).await?;
        let Which(keeper, count) = which;
        if Arc::ptr_eq(keeper, &home.keeper) && *count == *home.held {
            return Ok(home);
        }
        Err(ControlError::NotNow {
            why: "the files were restored from a snapshot while this came".into(),
            hint: "look at what is there now, and send it again".into(),
        })
    }

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
        Ok(Entered { of, keeper, held })
    }
}
