//! `smartbox snapshot removed`, `undelete` and `purge`: smartboxes that were removed and whose snapshots
//! are still there.

use smartbox_api::call;
use smartbox_api::snapshot::TombstoneView;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, ask, out, table};

/// Lists removed smartboxes whose snapshots are still there
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print an array of them as JSON
    #[arg(long)]
    json: bool,
}

/// Makes a removed smartbox again: as it was, from its last snapshot at its next start
#[derive(Debug, clap::Args)]
pub(super) struct Undelete {
    /// Its id, or the name that it had
    #[arg(value_name = "BOX")]
    which: String,
    /// Another name than it had
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print the smartbox as JSON
    #[arg(long)]
    json: bool,
}

/// Removes the snapshots of a removed smartbox for good; asks first
#[derive(Debug, clap::Args)]
pub(super) struct Purge {
    /// Its id, or the name that it had
    #[arg(value_name = "BOX")]
    which: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let found = or_interrupt(client.all(call::tombstones)).await?;
    if args.json {
        return out::json(&found);
    }
    if found.is_empty() {
        return out::say("No removed smartbox has snapshots.");
    }
    let now = SystemClock.now();
    let row = |one: &TombstoneView| {
        let (removed, until) = (age::when(now, one.removed), age::when(now, one.until));
        [one.name.clone(), removed, until, one.snapshots.to_string(), one.id.to_string()]
    };
    let head = ["NAME", "REMOVED", "GONE FOR GOOD", "SNAPSHOTS", "ID"];
    out::say(table::table(head, found.iter().map(row).collect()))
}

pub(super) async fn undelete(client: &Client, args: &Undelete) -> Result<(), CliError> {
    let found = find(client, &args.which).await?;
    let how = smartbox_api::snapshot::Undelete { name: args.name.clone() };
    let view = or_interrupt(client.json(call::undelete(found.id.as_str(), &how))).await?;
    if args.json {
        return out::json(&view);
    }
    out::say(format!("{}: there again; its home is restored when it starts", view.name))?;
    out::note(format!("To start it: smartbox start {}", view.name));
    Ok(())
}

pub(super) async fn purge(client: &Client, args: &Purge) -> Result<(), CliError> {
    let found = find(client, &args.which).await?;
    let question = format!(
        "Remove the {} snapshots of {} for good? Nothing brings them back",
        found.snapshots, found.name
    );
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was removed", String::new()));
    }
    or_interrupt(client.nothing(call::purge(found.id.as_str()))).await?;
    out::say(format!("{}: gone for good", found.name))
}

/// By id, or by a name that only one of them had.
async fn find(client: &Client, which: &str) -> Result<TombstoneView, CliError> {
    let all = or_interrupt(client.all(call::tombstones)).await?;
    let mut fitting = all.into_iter().filter(|one| one.id.as_str() == which || one.name == which);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(CliError::usage(
            format!("no removed smartbox is called {}", out::line(which)),
            "`smartbox snapshot removed` lists them",
        )),
        (Some(_), Some(_)) => Err(CliError::usage(
            format!("several removed smartboxes were called {}", out::line(which)),
            "give its id, as `smartbox snapshot removed` lists it",
        )),
    }
}
