//! `smartbox config diff`.

use smartbox_api::call;

use super::tell;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Shows what a revision changed, or in what it differs from another
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// The revision, as `history` lists it
    revision: u64,
    /// The one to compare with; the one before it if absent
    against: Option<u64>,
    /// Print the revision, its document and what differs as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let call = call::config_revision(&args.name, args.revision, args.against);
    let detail = or_interrupt(client.json(call)).await?;
    if args.json {
        return out::json(&detail);
    }
    if detail.changes.is_empty() {
        return out::say("Nothing differs.");
    }
    for line in tell::lines(&detail.changes) {
        out::say(line)?;
    }
    Ok(())
}
