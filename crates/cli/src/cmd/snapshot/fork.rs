//! `smartbox snapshot fork`.

use smartbox_api::call;
use smartbox_api::snapshot::{Fork, NEWEST};

use super::{Waiting, generation, job};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;

/// Makes a new smartbox whose home is a snapshot of another
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The new one's name
    #[arg(value_name = "NEW")]
    new: String,
    /// The generation, as `ls` lists it
    #[arg(long, default_value = NEWEST, value_parser = generation)]
    generation: String,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let fork = Fork { name: args.new.clone() };
    job(client, call::fork_snapshot(&args.name, &args.generation, &fork), &args.how).await
}
