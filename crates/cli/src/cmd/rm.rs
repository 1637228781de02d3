//! `smartbox rm`.

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Removes a smartbox with its home and everything in it; asks first.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Print the smartbox as it was, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    // First, so that a name that does not exist is not asked about.
    let view = client.json(call::smartbox(&args.name)).await?;
    let question = format!("Remove {} with its home and everything it remembers?", view.name);
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was removed", String::new()));
    }
    // By its id: another box may have taken the name while the person thought.
    or_interrupt(client.nothing(call::remove(view.id.as_str()))).await?;
    if args.json { out::json(&view) } else { out::say(format!("{}: removed", view.name)) }
}
