//! `smartbox token ls`.

use smartbox_api::call;
use smartbox_api::token::TokenView;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::ahead;
use crate::client::Client;
use crate::cmd::called::Called;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists tokens, never a value: all of the account for its owners, and your own otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let tokens = or_interrupt(client.all(call::tokens)).await?;
    if tokens.is_empty() && !args.json {
        return out::say("There is no token; `smartbox token create` makes one.");
    }
    let called = if args.json { Called::default() } else { Called::ask(client).await };
    tell(&tokens, args.json, &called)
}

/// Prints tokens or keys, for people or as JSON.
pub(in crate::cmd) fn tell(
    tokens: &[TokenView],
    json: bool,
    called: &Called,
) -> Result<(), CliError> {
    if json {
        return out::json(&tokens);
    }
    let now = SystemClock.now();
    let row = |token: &TokenView| {
        let of = token.smartbox.as_ref().map_or_else(|| "all".to_owned(), |id| called.name(id));
        [
            token.id.to_string(),
            match token.invites {
                true => format!("invitation {}", token.name).trim_end().to_owned(),
                false => token.name.clone(),
            },
            token.right.as_str().to_owned(),
            of,
            token.person.as_ref().map_or_else(String::new, ToString::to_string),
            age::when(now, token.created),
            token.expires.map_or_else(|| "never".to_owned(), |at| format!("in {}", ahead(at))),
            token.used.map_or_else(|| "never".to_owned(), |at| age::when(now, at)),
        ]
    };
    let head = ["ID", "NAME", "RIGHT", "BOX", "PERSON", "MADE", "EXPIRES", "USED"];
    out::say(table::table(head, tokens.iter().map(row).collect()))
}
