//! The first account and its PA, made on the first run; and what a setting means for boxes that
//! are there already.

use std::sync::Arc;

use smartbox_control::{Actor, Control, ControlError, NewSmartbox};
use smartbox_core::account::Account;
use smartbox_core::smartbox::{Desired, Kind, Smartbox};
use smartbox_core::store::{self, Store};

use crate::config::sleep::Sleep;

/// The name of the first account.
const NAME: &str = "me";
/// The name of its PA.
const PA: &str = "pa";

/// The account, with its PA unless that was made once and removed since.
pub(crate) async fn ensure(
    control: &Arc<Control>,
    records: &dyn Store,
    sleep: &Sleep,
) -> Result<(Account, Vec<Smartbox>), ControlError> {
    let account = control.ensure_account(NAME).await?;
    if control.list(&account.id).await?.is_empty() && !ever_made(records, &account).await? {
        let new = NewSmartbox::of(PA, Kind::PA, sleep.desired());
        control.create(&Actor::platform(), &account.id, new).await?;
    }
    let rows = control.list(&account.id).await?;
    for row in rows.iter().filter(|row| moves(row.desired, sleep)) {
        control.start(&Actor::platform(), &row.id, sleep.desired()).await?;
    }
    Ok((account, rows))
}

/// A time that someone wrote down holds for every box that is not off; the mere default changes
/// no box that is there.
fn moves(desired: Desired, sleep: &Sleep) -> bool {
    sleep.written && desired != Desired::Off && desired != sleep.desired()
}

async fn ever_made(records: &dyn Store, account: &Account) -> Result<bool, ControlError> {
    let id = account.id.clone();
    // The first acts of an account: its PA is made before anybody can do anything.
    let acts =
        store::read(records, |tx| Box::pin(async move { tx.audit().list(id, 0, 100).await }))
            .await?;
    Ok(acts.iter().any(|entry| entry.act.action == "box.create"))
}
