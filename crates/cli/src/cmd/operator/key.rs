//! `smartbox operator key`: create, list, revoke.

use std::time::Duration;

use serde_json::json;
use smartbox_api::call;
use smartbox_api::token::NewOperatorKey;
use smartbox_core::person::Right;

use crate::client::Client;
use crate::cmd::act::time;
use crate::cmd::called::Called;
use crate::cmd::token::{right, shown, tell};
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Makes, lists and revokes keys of operators; sent as a bearer or in `X-Admin-Secret`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Makes a key and prints it, this once
    Create {
        /// What it is for
        #[arg(default_value = "", hide_default_value = true)]
        name: String,
        /// How much of the installation it may: read, manage or own
        #[arg(long, value_name = "RIGHT", value_parser = right)]
        right: Right,
        /// How long it works, like 30d, at most 366d; 90d if absent
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires: Option<Duration>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lists the keys, never a value
    Ls {
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revokes a key; asks first
    Revoke {
        /// Its id, from `smartbox operator key ls`
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print what was revoked as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Create { name, right, expires, json } => {
            let expires_secs = expires.map(|time| time.as_secs());
            let new = NewOperatorKey { name: name.clone(), right: *right, expires_secs };
            shown(&or_interrupt(client.json(call::new_operator_key(&new))).await?, *json)
        }
        Verb::Ls { json } => {
            let keys = or_interrupt(client.all(call::operator_keys)).await?;
            if keys.is_empty() && !json {
                let none =
                    "There is no key; `smartbox operator key create --right read` makes one.";
                return out::say(none);
            }
            tell(&keys, *json, &Called::default())
        }
        Verb::Revoke { id, yes, json } => {
            if !yes && !ask::sure(&format!("Revoke the key {id}?"), "--yes")? {
                return Err(CliError::here("nothing was revoked", String::new()));
            }
            or_interrupt(client.nothing(call::revoke_operator_key(id))).await?;
            if *json {
                out::json(&json!({ "revoked": id }))
            } else {
                out::say(format!("{id} is revoked"))
            }
        }
    }
}
