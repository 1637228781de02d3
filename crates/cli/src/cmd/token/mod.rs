//! `smartbox token`: what signs in without a person at hand.

mod create;
mod ls;
mod revoke;
mod rotate;

use smartbox_api::token::MadeToken;
use smartbox_core::person::Right;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

pub(in crate::cmd) use ls::tell;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::{age, out};

/// Makes, lists, rotates and revokes tokens: bearers for `--server` and for programs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    #[command(alias = "new")]
    Create(create::Args),
    Ls(ls::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Create(args) => create::run(client, args).await,
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Rotate(args) => rotate::run(client, args).await,
        Verb::Revoke(args) => revoke::run(client, args).await,
    }
}

/// Reads `read`, `chat`, `manage` or `own`.
pub(crate) fn right(text: &str) -> Result<Right, String> {
    Right::parse(text).ok_or_else(|| "write read, chat, manage or own".to_owned())
}

/// Prints a value, this once.
pub(crate) fn shown(made: &MadeToken, json: bool) -> Result<(), CliError> {
    if json {
        return out::json(made);
    }
    out::say(&made.token)?;
    let until = made.expires.map(|at| format!("; it expires in {}", ahead(at)));
    let (right, id) = (made.right.as_str(), &made.id);
    out::note(format!(
        "{id} may {right}{}. Its value is not shown again.",
        until.unwrap_or_default()
    ));
    Ok(())
}

/// How far a time is ahead.
pub(crate) fn ahead(at: smartbox_core::time::Timestamp) -> String {
    age::span(at.since(SystemClock.now()).as_secs())
}
