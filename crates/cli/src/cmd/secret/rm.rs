//! `smartbox secret rm`.

use smartbox_api::call;
use smartbox_api::secret::SecretQuery;

use super::{storage, told};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Forgets a secret.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name
    name: String,
    /// The one of this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// The platform's own; for operators
    #[arg(long, conflicts_with = "smartbox")]
    platform: bool,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let of = SecretQuery { smartbox: args.smartbox.clone(), platform: args.platform };
    or_interrupt(client.nothing(call::remove_secret(&args.name, &of))).await?;
    if args.json {
        return out::json(&told(&args.name, args.smartbox.as_deref(), args.platform));
    }
    out::say(format!("{}: forgotten", args.name))?;
    if args.platform { storage::note(client, &args.name).await } else { Ok(()) }
}
