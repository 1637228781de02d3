//! `smartbox secret versions`.

use smartbox_api::call;
use smartbox_api::secret::SecretQuery;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists when a secret got the values that are kept of it, never a value
///
/// The newest five are kept, the present one included; `smartbox secret rollback` brings one back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name
    name: String,
    /// The one of this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// The platform's own; for operators
    #[arg(long, conflicts_with = "smartbox")]
    platform: bool,
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let of = SecretQuery { smartbox: args.smartbox.clone(), platform: args.platform };
    let all = client.all(|page| call::secret_versions(&args.name, &of, page));
    let all = or_interrupt(all).await?;
    if args.json {
        return out::json(&all);
    }
    let now = SystemClock.now();
    let rows = all.into_iter().map(|one| {
        let current = if one.current { "current" } else { "" };
        [one.revision.to_string(), age::when(now, one.updated), current.to_owned()]
    });
    out::say(table::table(["VERSION", "SET", ""], rows.collect()))
}
