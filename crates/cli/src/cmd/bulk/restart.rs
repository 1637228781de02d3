//! `smartbox bulk restart`.

use smartbox_api::bulk::BulkRestart;
use smartbox_api::call;

use super::select::{How, Which};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Restarts many smartboxes: another sandbox, the same home
///
/// Each counts as done once its engine answers. One that is off or stopped is skipped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let (which, how) = (&args.which, &args.how);
    which.check()?;
    let asked = BulkRestart {
        boxes: which.names(),
        selector: which.selector(),
        all: which.all,
        delay_ms: how.delay_ms(),
        concurrency: how.concurrency,
        stop_on_failure: how.stop_on_failure,
        dry_run: how.dry_run,
    };
    if how.dry_run {
        return how.plan(&or_interrupt(client.json(call::plan_bulk_restart(&asked))).await?);
    }
    let job = or_interrupt(client.json(call::bulk_restart(&asked))).await?;
    how.job(client, &job).await
}
