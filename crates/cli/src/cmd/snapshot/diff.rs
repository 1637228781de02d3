//! `smartbox snapshot diff`.

use smartbox_api::call;
use smartbox_api::snapshot::{Change, DiffQuery, DiffView};

use super::{One, generation};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Shows how the home, or another snapshot, differs from a snapshot.
///
/// `+` is there and not in the snapshot, `-` is in it and not there, `M` has other contents, `m` only
/// other permissions. Without --against it is what a restore would undo: a dry run of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
    /// Another generation instead of the home as it is
    #[arg(long, value_name = "GENERATION", value_parser = generation)]
    against: Option<String>,
    /// How many changes at most
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u32,
    /// Print the changes as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let query = DiffQuery { against: args.against.clone(), limit: Some(args.limit) };
    let call = call::snapshot_diff(&args.one.name, &args.one.generation, &query);
    let found = or_interrupt(client.json(call)).await?;
    if args.json { out::json(&found) } else { tell(&found) }
}

/// One change a line, and how many there are besides.
pub(super) fn tell(found: &DiffView) -> Result<(), CliError> {
    if found.total == 0 {
        return out::say("There is no difference.");
    }
    let lines: Vec<String> = found
        .changes
        .iter()
        .map(|one| {
            let mark = match one.change {
                Change::Added => '+',
                Change::Removed => '-',
                Change::Changed => 'M',
                Change::Mode => 'm',
            };
            format!("{mark} {}", out::line(&one.path))
        })
        .collect();
    out::say(lines.join("\n"))?;
    let more = found.total.saturating_sub(found.changes.len() as u64);
    if more > 0 {
        out::note(format!("… and {more} more; --limit shows more"));
    }
    Ok(())
}
