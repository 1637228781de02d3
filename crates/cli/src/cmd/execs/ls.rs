//! `smartbox execs ls`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::{state, words};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists the commands of a smartbox that are kept, newest first.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Print an array of commands as JSON, without their output
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let execs = or_interrupt(client.all(|which| call::execs(&args.name, which))).await?;
    if args.json {
        return out::json(&execs);
    }
    if execs.is_empty() {
        let name = &args.name;
        return out::say(format!(
            "There is none; `smartbox exec --detach {name} -- …` begins one."
        ));
    }
    let now = SystemClock.now();
    let rows = execs
        .iter()
        .map(|view| {
            let begun = format!("{} ago", age::ago(now, view.created));
            [view.id.to_string(), state(view), begun, words(view)]
        })
        .collect();
    out::say(table::table(["ID", "STATE", "BEGUN", "COMMAND"], rows))
}
