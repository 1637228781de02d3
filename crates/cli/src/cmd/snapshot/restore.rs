//! `smartbox snapshot restore`.

use smartbox_api::call;
use smartbox_api::snapshot::{DiffQuery, Restore};

use super::{One, Waiting, diff, job, number};
use crate::client::Client;
use crate::cmd::cp::relative;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Puts a snapshot in the place of a smartbox's home, or files and folders of it; asks first.
///
/// The smartbox finishes its turn and stops for it, then goes on as before. The state that is replaced
/// is a snapshot itself, so that a restore can be undone by another. With PATHs nothing stops, and
/// nothing but they is touched.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
    /// Files and folders, relative to the home; the whole home if absent
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Only show what would be undone
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    how: Waiting,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    // First, so that one that does not exist is not asked about; and by its number from here on.
    let found = call::snapshot(&args.one.name, &args.one.generation);
    let generation = number(or_interrupt(client.json(found)).await?.generation);
    let name = &args.one.name;
    if args.dry_run {
        let call = call::snapshot_diff(name, &generation, &DiffQuery::default());
        let found = or_interrupt(client.json(call)).await?;
        return if args.how.json { out::json(&found) } else { diff::tell(&found) };
    }
    let what = match args.paths.len() {
        0 => format!("the home of {name}"),
        1 => format!("{}:{}", name, out::line(&args.paths[0])),
        several => format!("{several} files or folders of {name}"),
    };
    let question = format!("Replace {what} with generation {generation}?");
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was restored", String::new()));
    }
    let what = Restore { paths: args.paths.iter().map(|path| relative(path)).collect() };
    job(client, call::restore_snapshot(name, &generation, &what), &args.how).await
}
