//! `smartbox secret ls`.

use smartbox_api::call;
use smartbox_api::secret::SecretQuery;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists the names of secrets, never a value.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Those of this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// The platform's own; for operators
    #[arg(long, conflicts_with = "smartbox")]
    platform: bool,
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let of = SecretQuery { smartbox: args.smartbox.clone(), platform: args.platform };
    let secrets = or_interrupt(client.all(|page| call::secrets(&of, page))).await?;
    if args.json {
        return out::json(&secrets);
    }
    if secrets.is_empty() {
        return out::say("There is no secret; `smartbox secret set ANTHROPIC_API_KEY` keeps one.");
    }
    let now = SystemClock.now();
    let rows = secrets
        .into_iter()
        .map(|s| {
            let hosts: Vec<String> = s.bound.into_iter().map(|to| to.host).collect();
            let set = s.updated.map_or_else(String::new, |t| age::when(now, t));
            [s.name, s.scope, set, hosts.join(", ")]
        })
        .collect();
    out::say(table::table(["NAME", "SCOPE", "SET", "GOES TO"], rows))
}
