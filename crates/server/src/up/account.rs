//! The first account and its PA, made on the first run; and what a setting means for boxes that
//! are there already.

use std::sync::Arc;
use std::time::Duration;

use smartbox_control::{Actor, Control, ControlError, NewSmartbox};
use smartbox_core::account::Account;
use smartbox_core::smartbox::{Desired, Kind, Smartbox};
use smartbox_core::store::{self, Store};

use crate::config::sleep::Sleep;

/// The name of the first account.
const NAME: &str = "me";
/// The name of its PA.
const PA: &str = "pa";

/// A storage that says nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What there is for the first person.
pub(crate) struct Ensured {
    pub(crate) account: Account,
    pub(crate) boxes: Vec<Smartbox>,
    /// Why no PA was made on the first run, if none was.
    pub(crate) waits: Option<Waits>,
}

/// What a PA of another installation may wait for: a new one would be in the place of the one with the
/// memory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// So many boxes lie in the storage, to be recovered.
    Lost(usize),
    /// The storage does not say what lies there.
    Unknown { why: String },
}

impl Waits {
    /// What the person should know of it.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Lost(count) => format!(
                "the storage of snapshots has {} of a platform before this one, and no new one was \
                 made: `smartbox snapshot recover --all`, or `smartbox new {PA} --kind pa` to begin anew",
                if *count == 1 { "a smartbox".to_owned() } else { format!("{count} smartboxes") }
            ),
            Self::Unknown { why } => format!(
                "no smartbox was made yet, for one may lie in the storage of snapshots, which does not \
                 say: {why}; see `smartbox doctor` and start again, or `smartbox new {PA} --kind pa` to \
                 begin anew"
            ),
        }
    }
}

/// The account, with its PA unless that was made once and removed since, or one waits to be recovered:
/// an account has one PA, and a blank one would be in the place of the one with the memory.
pub(crate) async fn ensure(
    control: &Arc<Control>,
    records: &dyn Store,
    sleep: &Sleep,
) -> Result<Ensured, ControlError> {
    let account = control.ensure_account(NAME).await?;
    let first =
        control.list(&account.id).await?.is_empty() && !ever_made(records, &account).await?;
    let waits = if first { waits(control).await } else { None };
    if first && waits.is_none() {
        let new = NewSmartbox::of(PA, Kind::PA, sleep.desired());
        control.create(&Actor::platform(), &account.id, new).await?;
    }
    let rows = control.list(&account.id).await?;
    for row in rows.iter().filter(|row| moves(row.desired, sleep)) {
        control.start(&Actor::platform(), &row.id, sleep.desired()).await?;
    }
    Ok(Ensured { account, boxes: rows, waits })
}

/// Whether boxes could be recovered. One that cannot be opened is none: it keeps nobody from beginning.
async fn waits(control: &Control) -> Option<Waits> {
    let why = match tokio::time::timeout(PATIENCE, control.recoverable()).await {
        Ok(Ok(found)) => {
            let count = found.iter().filter(|one| one.problem.is_none()).count();
            return (count > 0).then_some(Waits::Lost(count));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it has been silent for {} seconds", PATIENCE.as_secs()),
    };
    tracing::warn!(why, "what lies in the storage of snapshots is not known");
    Some(Waits::Unknown { why })
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
