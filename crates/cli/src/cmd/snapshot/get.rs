//! `smartbox snapshot get`.

use std::path::PathBuf;

use super::One;
use crate::client::Client;
use crate::cmd::cp;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Copies a file out of a snapshot, or with --tar a folder as a tar archive
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
    /// What, relative to the home; with --tar the whole home if absent
    #[arg(default_value = "", required_unless_present = "tar")]
    path: String,
    /// Where to: a file that is not there yet, or - for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// As a tar archive, with everything in it
    #[arg(long)]
    tar: bool,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let One { name, generation } = &args.one;
    let path = cp::relative(&args.path);
    let call = if args.tar {
        smartbox_api::call::snapshot_tar(name, generation, &path)
    } else {
        smartbox_api::call::snapshot_file(name, generation, &path)
    };
    or_interrupt(cp::stream_to(client, &call, &args.output, args.quiet)).await
}
