//! `smartbox secret rm`.

use smartbox_api::call;
use smartbox_api::secret::SecretQuery;

use super::{storage, told};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Forgets a secret with every version of it; asks first.
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
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let question = format!("Forget {} with every version of it, for good?", args.name);
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was forgotten", String::new()));
    }
    let of = SecretQuery { smartbox: args.smartbox.clone(), platform: args.platform };
    or_interrupt(client.nothing(call::remove_secret(&args.name, &of))).await?;
    if args.json {
        return out::json(&told(&args.name, args.smartbox.as_deref(), args.platform));
    }
    out::say(format!("{}: forgotten", args.name))?;
    if args.platform { storage::note(client, &args.name).await } else { Ok(()) }
}
