//! `smartbox account ls`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::state;
use crate::client::Client;
use crate::cmd::labels;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists the accounts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let accounts = or_interrupt(client.all(call::accounts)).await?;
    if args.json {
        return out::json(&accounts);
    }
    let now = SystemClock.now();
    let row = |view: &smartbox_api::account::AccountView| {
        [
            view.name.clone(),
            state(view).to_owned(),
            view.display_name.clone(),
            labels::words(&view.labels),
            age::when(now, view.created),
        ]
    };
    let rows = accounts.iter().map(row).collect();
    out::say(table::table(["NAME", "STATE", "CALLED", "LABELS", "MADE"], rows))
}
