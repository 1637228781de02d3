//! `smartbox files cat`.

use std::io::{self, IsTerminal};

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::cp::relative;
use crate::error::CliError;
use crate::ui::out;

/// Prints a file; on a terminal without what could drive it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The path
    path: String,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let mut reply = client.download(&call::read_file(&args.name, &relative(&args.path))).await?;
    let terminal = io::stdout().is_terminal();
    while let Some(piece) = reply.next_part().await? {
        if terminal {
            out::raw(out::tame(&String::from_utf8_lossy(&piece)).as_bytes())?;
        } else {
            out::raw(&piece)?;
        }
    }
    Ok(())
}
