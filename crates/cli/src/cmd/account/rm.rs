//! `smartbox account rm`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Removes an account for good; asks first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name or id
    name: String,
    /// Its smartboxes may go too, homes and all
    #[arg(long)]
    boxes: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let name = &args.name;
    let with = if args.boxes { " with all of its smartboxes and what is in them" } else { "" };
    if !args.yes && !ask::sure(&format!("Remove the account {name}{with}, for good?"), "--yes")? {
        return Err(CliError::here("nothing was removed", String::new()));
    }
    or_interrupt(client.nothing(call::remove_account(name, args.boxes))).await?;
    out::say(format!("{name} is removed, or goes with the last of its smartboxes"))
}
