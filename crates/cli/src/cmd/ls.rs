//! `smartbox ls`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, phase, table};

/// Lists the smartboxes; wakes none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print an array of smartboxes as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let boxes = or_interrupt(client.all(call::boxes)).await?;
    if args.json {
        return out::json(&boxes);
    }
    if boxes.is_empty() {
        return out::say("There is no smartbox yet; `smartbox new <name>` makes one.");
    }
    let now = SystemClock.now();
    let rows = boxes
        .iter()
        .map(|view| {
            [
                view.name.clone(),
                view.kind.to_string(),
                phase::words(view),
                view.desired.to_string(),
                view.tier.clone(),
                format!("{} ago", age::ago(now, view.last_active)),
                view.url.clone(),
            ]
        })
        .collect();
    out::say(table::table(["NAME", "KIND", "STATE", "DESIRED", "TIER", "ACTIVE", "ADDRESS"], rows))
}
