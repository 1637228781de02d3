//! `smartbox execs cancel`.

use smartbox_api::call;

use super::state;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Stops a command, and kills what it started; one that is over stays as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The command's id
    #[arg(value_name = "ID")]
    id: String,
    /// Print the command as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(client.json(call::cancel_exec(&args.name, &args.id))).await?;
    if args.json {
        return out::json(&view);
    }
    out::say(state(&view))
}
