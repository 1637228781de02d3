//! `smartbox devices invite`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::device::Invite;
use smartbox_core::person::Right;

use super::right;
use crate::client::Client;
use crate::cmd::act::time;
use crate::cmd::completions::names;
use crate::cmd::token::ahead;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, qr};

/// An invitation.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// For this smartbox alone
    #[arg(long, value_name = "NAME", add = names())]
    smartbox: Option<String>,
    /// How much it may: read, chat or manage
    #[arg(long, value_name = "RIGHT", default_value = "chat", value_parser = lent)]
    right: Right,
    /// What the browser is to be called
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    name: String,
    /// How long the link works, a day at the most
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = time)]
    expires: Duration,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Reads a right that a link may give.
fn lent(text: &str) -> Result<Right, String> {
    let right = right(text).ok().filter(|right| *right != Right::Own);
    right.ok_or_else(|| "write read, chat or manage: a link gives no more".to_owned())
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let new = Invite {
        smartbox: args.smartbox.clone(),
        right: Some(args.right),
        name: args.name.clone(),
        expires_secs: Some(args.expires.as_secs()),
    };
    let made = or_interrupt(client.json(call::invite(&new))).await?;
    if args.json {
        return out::json(&made);
    }
    qr::show(&made.url);
    out::note(format!(
        "Good once, for {}. Take it back with `smartbox token revoke {}`.",
        ahead(made.expires),
        made.id
    ));
    out::say(&made.url)
}
