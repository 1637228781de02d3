//! `smartbox man`.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::args::Cli;
use crate::error::CliError;
use crate::ui::out;

/// Writes the manual pages, one for each command: smartbox.1, smartbox-up.1 and so on.
///
/// For example `smartbox man --dir ~/.local/share/man/man1`; then `man smartbox` shows them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to; it is made if it is not there
    #[arg(long)]
    dir: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let write = std::fs::create_dir_all(&args.dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.dir));
    write.map_err(|e| {
        let what = format!("the manual pages cannot be written: {e}");
        CliError::here(what, "name a directory that you may write to")
    })?;
    out::say(format!("The manual pages are in {}", args.dir.display()))
}
