//! `smartbox snapshot status`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::snapshot::{ArchiveView, Drill};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use super::Of;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, size, table};

/// Shows how fresh the snapshots of a smartbox are, and when a restore was last proven
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let archive = or_interrupt(client.json(call::archive(&args.of.name))).await?;
    tell(&archive, args.json)
}

/// Says it.
pub(super) fn tell(archive: &ArchiveView, json: bool) -> Result<(), CliError> {
    if json { out::json(archive) } else { out::say(table::facts(&facts(archive))) }
}

fn facts(archive: &ArchiveView) -> Vec<(&'static str, String)> {
    let now = SystemClock.now();
    let newest = archive.newest.as_ref().map_or_else(
        || "none yet".into(),
        |one| {
            let (age, size) = (age::when(now, one.time), size::bytes(one.bytes));
            format!("generation {}, {age}, {size}", one.generation.0)
        },
    );
    let whose = if archive.own { "" } else { " (the platform's)" };
    let objective = Duration::from_millis(archive.objective_ms).as_secs();
    let late = if archive.late { ", MISSED" } else { "" };
    let mut facts = vec![
        ("newest", newest),
        ("snapshots", archive.count.to_string()),
        (
            "home is in it",
            archive.fresh.map_or_else(|| "not known".into(), |at| age::when(now, at)),
        ),
        ("objective", format!("{}{late}{whose}", age::span(objective))),
        ("kept", format!("{}{whose}", archive.keep)),
        ("storage", archive.storage.clone()),
    ];
    facts.extend(archive.trouble.as_ref().map(|why| ("trouble", why.clone())));
    let drill =
        |one: &Option<Drill>| one.as_ref().map_or_else(|| "never".into(), |one| said(now, one));
    facts.push(("last proven restore", drill(&archive.proven)));
    let failed = archive.drill.as_ref().filter(|drill| !drill.passed);
    facts.extend(failed.map(|one| ("last drill FAILED", said(now, one))));
    facts
}

fn said(now: Timestamp, drill: &Drill) -> String {
    let (when, took) = (age::when(now, drill.at), drill.took_ms / 1000);
    format!("{when}, generation {}, in {took}s: {}", drill.generation.0, drill.note)
}
