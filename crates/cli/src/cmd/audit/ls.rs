//! `smartbox audit ls`.

use smartbox_api::audit::{AuditEntry, AuditLine, AuditQuery, AuditResult};
use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::called::Called;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists what was done in the account, the newest last; what operators did to its smartboxes, too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    last: u64,
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let which = AuditQuery { after: None, last: Some(args.last) };
    let entries = or_interrupt(async {
        let mut lines = client.lines(&call::audit(which)).await?;
        let mut entries = Vec::new();
        while let Some(line) = lines.next().await? {
            if let AuditLine::Entry(entry) = line {
                entries.push(entry);
            }
        }
        Ok(entries)
    })
    .await?;
    if args.json {
        return out::json(&entries);
    }
    let called = or_interrupt(async { Ok(Called::ask(client).await) }).await?;
    let now = SystemClock.now();
    let row = |entry: AuditEntry| {
        let result = if entry.result == AuditResult::Done { "done" } else { "refused" };
        [
            entry.seq.to_string(),
            age::when(now, entry.at),
            entry.actor,
            entry.from.unwrap_or_default(),
            entry.action,
            result.to_owned(),
            entry.smartbox.map_or_else(String::new, |id| called.name(&id)),
            entry.detail,
        ]
    };
    let head = ["N", "WHEN", "WHO", "FROM", "WHAT", "RESULT", "BOX", "DETAIL"];
    out::say(table::table(head, entries.into_iter().map(row).collect()))
}
