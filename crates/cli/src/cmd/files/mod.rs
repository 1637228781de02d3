//! `smartbox files`: what is in a box's home.

mod cat;
mod change;
mod ls;

use clap::Subcommand;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Lists, shows and changes the files of a smartbox's home; wakes nothing.
///
/// Paths are relative to the home. `smartbox cp` copies files and folders in and out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Ls(ls::Args),
    Stat(ls::StatArgs),
    Cat(cat::Args),
    Rm(change::RmArgs),
    Mkdir(change::MkdirArgs),
    Mv(change::MvArgs),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let work = async {
        match &args.verb {
            Verb::Ls(args) => ls::run(client, args).await,
            Verb::Stat(args) => ls::stat(client, args).await,
            Verb::Cat(args) => cat::run(client, args).await,
            Verb::Rm(args) => change::rm(client, args).await,
            Verb::Mkdir(args) => change::mkdir(client, args).await,
            Verb::Mv(args) => change::mv(client, args).await,
        }
    };
    or_interrupt(work).await
}
