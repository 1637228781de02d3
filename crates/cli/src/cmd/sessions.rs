//! `smartbox sessions`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists the conversations that a smartbox remembers, the newest first; wakes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Print an array of conversations as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let all = client.all(|which| call::sessions(&args.name, which));
    let sessions = or_interrupt(all).await?;
    if args.json {
        return out::json(&sessions);
    }
    if sessions.is_empty() {
        return out::say("It has not talked to anybody yet.");
    }
    let now = SystemClock.now();
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let rows = sessions
        .iter()
        .map(|session| {
            let updated = session.updated.map(|at| format!("{} ago", age::ago(now, at)));
            [
                session.key.clone(),
                or_dash(updated),
                or_dash(session.messages.map(|n| n.to_string())),
                if session.working { "at work".into() } else { String::new() },
                session.title.clone().unwrap_or_default().replace('\n', " "),
            ]
        })
        .collect();
    out::say(table::table(["SESSION", "UPDATED", "MESSAGES", "", "ABOUT"], rows))
}
