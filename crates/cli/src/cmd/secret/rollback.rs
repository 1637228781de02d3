//! `smartbox secret rollback`.

use serde_json::json;
use smartbox_api::call;
use smartbox_api::secret::RollBackSecret;

use super::{storage, told};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Gives a secret a value again that it had
///
/// It counts at once, as one that is set does. The value that it had until then stays among its versions.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Its name
    name: String,
    /// The version, as `versions` lists it
    #[arg(long, value_name = "VERSION")]
    to: u64,
    /// The one of this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// The platform's own; for operators
    #[arg(long, conflicts_with = "smartbox")]
    platform: bool,
    /// Print the name and its version as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let to =
        RollBackSecret { to: args.to, smartbox: args.smartbox.clone(), platform: args.platform };
    let done = or_interrupt(client.json(call::roll_back_secret(&args.name, &to))).await?;
    if args.json {
        let mut told = told(&args.name, args.smartbox.as_deref(), args.platform);
        told["revision"] = json!(done.revision);
        return out::json(&told);
    }
    let (name, to) = (&args.name, args.to);
    out::say(format!("{name}: has the value of version {to} again, as version {}", done.revision))?;
    if args.platform { storage::note(client, name).await } else { Ok(()) }
}
