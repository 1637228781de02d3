//! `smartbox config history`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists the revisions of the configuration of a smartbox's engine, the newest first
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Print an array of revisions as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let all = client.all(|which| call::config_history(&args.name, which));
    let revisions = or_interrupt(all).await?;
    if args.json {
        return out::json(&revisions);
    }
    if revisions.is_empty() {
        return out::say("Nobody has changed its configuration yet.");
    }
    let now = SystemClock.now();
    let first_line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let rows = revisions
        .iter()
        .map(|revision| {
            let refused = revision.refused.as_deref().map(first_line);
            [
                revision.revision.to_string(),
                format!("{} ago", age::ago(now, revision.at)),
                revision.actor.clone(),
                revision.how.clone(),
                refused.map_or_else(String::new, |why| format!("refused: {why}")),
            ]
        })
        .collect();
    out::say(table::table(["REVISION", "WRITTEN", "BY", "HOW", ""], rows))
}
