//! `smartbox devices`: who is let in, and who asks.

mod decide;
mod find;
mod invite;
mod ls;

use smartbox_api::call;
use smartbox_api::device::DeviceView;
use smartbox_core::person::Right;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::login::right;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lets devices in, and shuts them out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists the devices of the account, those that ask to be let in first
    Ls {
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows one
    Show {
        #[command(flatten)]
        which: find::Which,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lets one in; shows it and asks first. Compare the digits
    Approve {
        #[command(flatten)]
        which: find::Which,
        /// How much it may: read, chat, manage or own; what it asks for, and never own, if absent
        #[arg(long, value_name = "RIGHT", value_parser = right)]
        right: Option<Right>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes a link, and a QR code, that signs one browser in, once, and lets it in: for a phone
    Invite(invite::Args),
    /// Does not let one in
    Reject {
        #[command(flatten)]
        which: find::Which,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Calls one something else
    Rename {
        #[command(flatten)]
        which: find::Which,
        /// Its new name
        #[arg(value_name = "NAME")]
        name: String,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Shuts one out: its tokens, sessions and open connections end
    Revoke {
        #[command(flatten)]
        which: find::Which,
        /// Do not ask: nothing is asked, and scripts may say so
        #[arg(long, short)]
        yes: bool,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Lets in all that ask, none with `own`; asks first
    ApproveAll {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls { json } => ls::run(client, *json).await,
        Verb::Show { which, json } => told(&which.find(client).await?, *json),
        Verb::Approve { which, right, yes, json } => {
            let device = which.find(client).await?;
            told(&decide::approve(client, &device, *right, *yes).await?, *json)
        }
        Verb::Invite(args) => invite::run(client, args).await,
        Verb::Reject { which, json } => {
            let id = which.find(client).await?.id;
            told(&or_interrupt(client.json(call::reject_device(id.as_str()))).await?, *json)
        }
        Verb::Revoke { which, yes: _, json } => {
            let id = which.find(client).await?.id;
            told(&or_interrupt(client.json(call::revoke_device(id.as_str()))).await?, *json)
        }
        Verb::Rename { which, name, json } => {
            let id = which.find(client).await?.id;
            told(&or_interrupt(client.json(call::rename_device(id.as_str(), name))).await?, *json)
        }
        Verb::ApproveAll { yes, json } => decide::approve_all(client, *yes, *json).await,
    }
}

fn told(device: &DeviceView, json: bool) -> Result<(), CliError> {
    if json { out::json(device) } else { out::say(shown(device)) }
}

/// A device for people.
fn shown(device: &DeviceView) -> String {
    let now = SystemClock.now();
    let mut facts = vec![
        ("name", device.name.clone()),
        ("kind", device.kind.to_string()),
        ("platform", device.platform.clone()),
        ("address", device.address.clone()),
        ("state", device.state.to_string()),
    ];
    if let Some(right) = device.granted {
        facts.push(("may", right.as_str().to_owned()));
    }
    if let Some(asks) = &device.asks {
        facts.push(("asks for", asks.right.as_str().to_owned()));
        facts.push(("asked", age::when(now, asks.at)));
        facts.push(("digits", asks.comparison.clone()));
    }
    if let Some(seen) = device.seen {
        facts.push(("seen", age::when(now, seen)));
    }
    if let Some(at) = device.expires {
        facts.push(("ends", format!("{}, unless it comes before", age::when(now, at))));
    }
    facts.push(("id", device.id.to_string()));
    table::facts(&facts)
}
