//! `smartbox token`: bearers for command lines that come over TCP.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::token::NewToken;

use super::act::time;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Makes and revokes tokens for `--server`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Makes a token and prints it, this once; put it into SMARTBOX_TOKEN on the other machine
    New {
        /// How long it works, like 30d; until it is revoked if absent
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires: Option<Duration>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revokes every token of the account; asks first
    Revoke {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match args.verb {
        Verb::New { expires, json } => {
            let new = NewToken { expires_secs: expires.map(|time| time.as_secs()) };
            let made = or_interrupt(client.json(call::new_token(new))).await?;
            if json { out::json(&made) } else { out::say(&made.token) }
        }
        Verb::Revoke { yes } => {
            if !yes && !ask::sure("Revoke every token of this account?", "--yes")? {
                return Err(CliError::here("nothing was revoked", String::new()));
            }
            or_interrupt(client.nothing(call::revoke_tokens())).await?;
            out::say("every token is revoked")
        }
    }
}
