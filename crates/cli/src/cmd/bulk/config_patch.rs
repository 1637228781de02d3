//! `smartbox bulk config-patch`.

use std::path::PathBuf;

use smartbox_api::bulk::{BulkConfig, BulkConfigPlan, PlannedConfig};
use smartbox_api::call;
use smartbox_api::problem::Exit;

use super::select::{How, Which};
use crate::client::Client;
use crate::cmd::config::patch;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, table};

/// Places that are shown of each smartbox.
const SHOWN: usize = 3;

/// Merges a JSON merge patch into the configuration of many smartboxes' engines
///
/// Each is checked against its engine's own schema, kept in its history, and nobody is woken. What the
/// patch sets is not shown again: it may hold credentials.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The file with the patch, like {"model": "claude-sonnet-4-5"}; `null` removes a key. `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let (which, how) = (&args.which, &args.how);
    which.check()?;
    let asked = BulkConfig {
        patch: patch::document(&patch::read(&args.file)?)?,
        boxes: which.names(),
        selector: which.selector(),
        all: which.all,
        delay_ms: how.delay_ms(),
        concurrency: how.concurrency,
        stop_on_failure: how.stop_on_failure,
        dry_run: how.dry_run,
    };
    if how.dry_run {
        let plan = or_interrupt(client.json(call::plan_bulk_config(&asked))).await?;
        return tell(&plan, how.json);
    }
    let job = or_interrupt(client.json(call::bulk_config(&asked))).await?;
    how.job(client, &job).await
}

/// Says what would come of it, and ends as the job would.
fn tell(plan: &BulkConfigPlan, json: bool) -> Result<(), CliError> {
    if json {
        out::json(&plan.items)?;
    } else if plan.items.is_empty() {
        out::say("No smartbox is meant.")?;
    } else {
        let row = |item: &PlannedConfig| [item.name.clone(), item.state.to_string(), would(item)];
        let rows = plan.items.iter().map(row).collect();
        out::say(table::table(["NAME", "STATE", "WOULD"], rows))?;
        out::note("nothing was changed: this was a dry run");
    }
    let good = plan.items.iter().all(PlannedConfig::good);
    if good { Ok(()) } else { Err(CliError::Said(Exit::Failure as u8)) }
}

fn would(item: &PlannedConfig) -> String {
    if let Some(why) = &item.refused {
        return format!("no: {why}");
    }
    if let Some(fault) = item.errors.first() {
        return format!("no: {}: {}", fault.path, fault.message);
    }
    if item.changes.is_empty() {
        return "nothing differs".into();
    }
    let shown = item.changes.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = match item.changes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("change {shown}{more}")
}
