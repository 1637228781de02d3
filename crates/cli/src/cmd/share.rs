//! `smartbox share`: single smartboxes, with people who are no members.

use serde_json::json;
use smartbox_api::call;
use smartbox_api::person::{ShareView, Sharing};
use smartbox_core::person::Right;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::token::right;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out, table};

/// Shares a smartbox with people, and lists with whom it is shared.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists with whom a smartbox is shared
    Ls {
        /// Its name or id
        #[arg(value_name = "BOX", add = names())]
        smartbox: String,
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
    /// Shares a smartbox with somebody
    Add {
        /// Its name or id
        #[arg(value_name = "BOX", add = names())]
        smartbox: String,
        /// Their address, or their id
        person: String,
        /// What they may with it: read, chat or manage
        #[arg(long, value_name = "RIGHT", value_parser = right)]
        right: Right,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Shares a smartbox with somebody no more; asks first
    Rm {
        /// Its name or id
        #[arg(value_name = "BOX", add = names())]
        smartbox: String,
        /// Their address, or their id
        person: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print whom as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls { smartbox, json } => {
            let shares = or_interrupt(client.all(|page| call::shares(smartbox, page))).await?;
            if *json {
                return out::json(&shares);
            }
            if shares.is_empty() {
                return out::say(format!("{smartbox} is shared with nobody"));
            }
            let rows = shares.into_iter().map(row).collect();
            out::say(table::table(["NAME", "ADDRESS", "RIGHT", "STATE", "ID"], rows))
        }
        Verb::Add { smartbox, person, right, json } => {
            let call = call::set_share(smartbox, person, Sharing { right: *right });
            let share = or_interrupt(client.json(call)).await?;
            if *json {
                return out::json(&share);
            }
            out::say(format!("{} may {} {smartbox}", share.name, share.right.as_str()))
        }
        Verb::Rm { smartbox, person, yes, json } => {
            if !yes && !ask::sure(&format!("Share {smartbox} with {person} no more?"), "--yes")? {
                return Err(CliError::here("nothing was changed", String::new()));
            }
            or_interrupt(client.nothing(call::remove_share(smartbox, person))).await?;
            if *json {
                return out::json(&json!({ "box": smartbox, "removed": person }));
            }
            out::say(format!("{smartbox} is shared with {person} no more"))
        }
    }
}

fn row(share: ShareView) -> [String; 5] {
    let ShareView { person, name, email, disabled, right } = share;
    let state = if disabled { "disabled" } else { "active" };
    [
        name,
        email.unwrap_or_default(),
        right.as_str().to_owned(),
        state.to_owned(),
        person.to_string(),
    ]
}
