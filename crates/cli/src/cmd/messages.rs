//! `smartbox messages`.

use smartbox_api::call;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Characters of a message that a line shows.
const LONG: usize = 60;

/// Lists the messages that were accepted for a smartbox, the newest first; wakes nobody.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Print an array of messages with their answers as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let all = client.all(|which| call::messages(&args.name, which));
    let messages = or_interrupt(all).await?;
    if args.json {
        return out::json(&messages);
    }
    if messages.is_empty() {
        return out::say("Nobody has written to it yet.");
    }
    let now = SystemClock.now();
    let short = |text: &str| {
        let line: String = text.chars().map(|c| if c == '\n' { ' ' } else { c }).collect();
        let cut: String = line.chars().take(LONG).collect();
        if cut.len() < line.len() { cut + "…" } else { cut }
    };
    let rows = messages
        .iter()
        .map(|message| {
            [
                message.id.to_string(),
                format!("{} ago", age::ago(now, message.created)),
                message.session.clone(),
                message.channel.clone(),
                message.state.as_str().to_owned(),
                short(&message.text),
            ]
        })
        .collect();
    out::say(table::table(["MESSAGE", "CAME", "SESSION", "BY", "STATE", "TEXT"], rows))
}
