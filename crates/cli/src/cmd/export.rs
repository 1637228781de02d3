//! `smartbox export`.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::cp;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Writes everything of a smartbox into one archive: its record, its history and its home.
///
/// A snapshot is taken for it. Secrets of the platform are not in it; what the assistant keeps in its
/// home is. `smartbox import` makes a smartbox of it, here or elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Where to: a file that is not there yet, or - for standard output; BOX.smartbox if absent
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let to = match &args.output {
        Some(to) => to.clone(),
        // By the name that it has: what was given may be an id.
        None => {
            let view = or_interrupt(client.json(call::smartbox(&args.name))).await?;
            PathBuf::from(format!("{}.smartbox", view.name))
        }
    };
    if to.as_os_str() == "-" && io::stdout().is_terminal() {
        return Err(CliError::usage("an archive is not for a terminal", "add `-o FILE`"));
    }
    or_interrupt(cp::stream_to(client, &call::export(&args.name), &to, args.quiet)).await
}
