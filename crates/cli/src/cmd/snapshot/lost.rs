//! `smartbox snapshot lost` and `recover`: smartboxes in the storage that this installation does not know,
//! for instance since its data directory is lost.

use smartbox_api::call;
use smartbox_api::snapshot::LostView;
use smartbox_core::id::SmartboxId;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists smartboxes in the storage of snapshots that this installation does not know
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print an array of them as JSON
    #[arg(long)]
    json: bool,
}

/// Takes over smartboxes that another installation left in the storage of snapshots.
///
/// It needs that one's master key (SMARTBOX_MASTER_KEY, or its file). What is left of the other one can
/// write nothing from then on.
#[derive(Debug, clap::Args)]
pub(super) struct Recover {
    /// The smartboxes, by their ids
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<SmartboxId>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Print an array of them as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let found = or_interrupt(client.all(call::lost)).await?;
    if args.json {
        return out::json(&found);
    }
    if found.is_empty() {
        return out::say("There is no smartbox in the storage that is not known here.");
    }
    out::say(listed(&found))
}

pub(super) async fn recover(client: &Client, args: &Recover) -> Result<(), CliError> {
    let which = smartbox_api::snapshot::Recover { boxes: args.ids.clone(), all: args.all };
    let done = or_interrupt(client.json(call::recover(&which))).await?;
    let good = done.iter().all(|one| one.trouble.is_empty());
    if args.json {
        out::json(&done)?;
    } else if done.is_empty() {
        out::say("There was nothing to take over.")?;
    } else {
        out::say(listed(&done))?;
    }
    // What there is to say was said.
    if good { Ok(()) } else { Err(CliError::Said(1)) }
}

fn listed(found: &[LostView]) -> String {
    let now = SystemClock.now();
    let row = |one: &LostView| {
        [
            one.name.clone(),
            one.account.clone(),
            one.newest.map_or_else(|| "none".into(), super::number),
            one.time.map_or_else(String::new, |at| age::when(now, at)),
            one.id.to_string(),
            one.trouble.clone(),
        ]
    };
    table::table(
        ["NAME", "ACCOUNT", "GENERATION", "TAKEN", "ID", "TROUBLE"],
        found.iter().map(row).collect(),
    )
}
