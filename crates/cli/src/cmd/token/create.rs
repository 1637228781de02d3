//! `smartbox token create`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::token::NewToken;
use smartbox_core::person::Right;

use super::{right, shown};
use crate::client::Client;
use crate::cmd::act::time;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Makes a token and prints it, this once; put it into SMARTBOX_TOKEN on the other machine.
///
/// It may never more than you, and ends with the token that it was made by, if it was.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What it is for
    #[arg(default_value = "", hide_default_value = true)]
    name: String,
    /// How much it may at the most: read, chat, manage or own; as much as you if absent
    #[arg(long, value_name = "RIGHT", value_parser = right)]
    right: Option<Right>,
    /// For this smartbox alone
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// How long it works, like 30d, at most 366d; 90d if absent
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let new = NewToken {
        name: args.name.clone(),
        right: args.right,
        smartbox: args.smartbox.clone(),
        expires_secs: args.expires.map(|time| time.as_secs()),
    };
    shown(&or_interrupt(client.json(call::new_token(&new))).await?, args.json)
}
