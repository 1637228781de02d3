//! `smartbox snapshot set`.

use smartbox_api::call;
use smartbox_api::snapshot::ArchiveChange;

use super::{Of, status};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Decides how often snapshots of a smartbox are taken, and how many are kept
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// Changes older than this are in a snapshot: `30s`, `5m`, or `default`
    #[arg(long, value_name = "TIME", required_unless_present = "keep")]
    objective: Option<String>,
    /// What is kept: `last=24,hourly=48,daily=30,weekly=8,monthly=12`, or `default`
    #[arg(long, value_name = "COUNTS")]
    keep: Option<String>,
    /// Print what is in force now as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let change = ArchiveChange { objective: args.objective.clone(), keep: args.keep.clone() };
    let call = call::change_archive(&args.of.name, &change);
    status::tell(&or_interrupt(client.json(call)).await?, args.json)
}
