//! `smartbox token rotate`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::token::Rotate;

use super::shown;
use crate::client::Client;
use crate::cmd::act::time;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Gives a token a new value and prints it, this once. Sessions that were begun by it end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its id, from `smartbox token ls`
    id: String,
    /// How long the old value works on, like 10m, at most 24h; not at all if absent
    #[arg(long, value_name = "TIME", value_parser = time)]
    grace: Option<Duration>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let how = Rotate { grace_secs: args.grace.map_or(0, |time| time.as_secs()) };
    shown(&or_interrupt(client.json(call::rotate_token(&args.id, how))).await?, args.json)
}
