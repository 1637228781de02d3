//! `smartbox snapshot ls`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::{Of, number};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, size, table};

/// Lists the snapshots of a smartbox, the newest first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// Print an array of snapshots as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let all = client.all(|which| call::snapshots(&args.of.name, which));
    let snapshots = or_interrupt(all).await?;
    if args.json {
        return out::json(&snapshots);
    }
    if snapshots.is_empty() {
        return out::say("There is no snapshot yet; `smartbox snapshot take` takes one.");
    }
    let now = SystemClock.now();
    let rows = snapshots
        .iter()
        .map(|one| {
            [
                number(one.generation),
                age::when(now, one.time),
                one.why.to_string(),
                one.files.to_string(),
                size::bytes(one.bytes),
                size::bytes(one.added),
                one.verified.map_or_else(|| "no".into(), |at| age::when(now, at)),
                one.id.chars().take(8).collect(),
            ]
        })
        .collect();
    let head = ["GENERATION", "TAKEN", "WHY", "FILES", "SIZE", "ADDED", "VERIFIED", "ID"];
    out::say(table::table(head, rows))
}
