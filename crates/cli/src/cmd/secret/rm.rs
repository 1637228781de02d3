//! `smartbox secret rm`.

use smartbox_api::call;

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
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let call = call::remove_secret(&args.name, args.smartbox.as_deref());
    or_interrupt(client.nothing(call)).await?;
    if args.json {
        return out::json(&serde_json::json!({ "name": args.name, "box": args.smartbox }));
    }
    out::say(format!("{}: forgotten", args.name))
}
