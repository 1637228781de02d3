//! `smartbox token revoke`.

use serde_json::json;
use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Revokes a token, or every token of the account; asks first. What was begun by it ends at once; with
/// every token everybody is signed out who came by a link.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its id, from `smartbox token ls`; every token of the account if absent
    id: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print what was revoked as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let what = match &args.id {
        Some(id) => format!("the token {id}"),
        None => "every token of this account".to_owned(),
    };
    if !args.yes && !ask::sure(&format!("Revoke {what}?"), "--yes")? {
        return Err(CliError::here("nothing was revoked", String::new()));
    }
    let call = match &args.id {
        Some(id) => call::revoke_token(id),
        None => call::revoke_tokens(),
    };
    or_interrupt(client.nothing(call)).await?;
    match (&args.id, args.json) {
        (id, true) => out::json(&json!({ "revoked": id.as_deref().unwrap_or("*") })),
        (Some(id), false) => out::say(format!("{id} is revoked")),
        (None, false) => out::say("every token is revoked"),
    }
}
