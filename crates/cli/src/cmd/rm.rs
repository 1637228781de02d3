//! `smartbox rm`.

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Removes a smartbox with its home and everything in it; asks first.
///
/// Its snapshots stay for 30 days, unless the platform says otherwise: `smartbox snapshot undelete`
/// brings it back until then. With --purge nothing stays. While its last snapshot cannot be taken it
/// stays too, and says why; --force removes it without.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Remove its snapshots too, and take no last one: nothing brings it back
    #[arg(long)]
    purge: bool,
    /// Remove it even if no last snapshot can be taken: what changed since the one before is lost
    #[arg(long, conflicts_with = "purge")]
    force: bool,
    /// Print the smartbox as it was, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    // First, so that a name that does not exist is not asked about.
    let view = client.json(call::smartbox(&args.name)).await?;
    let all = match (args.purge, args.force) {
        (true, _) => " and every snapshot of it, for good",
        (_, true) => ", with or without a last snapshot",
        _ => "",
    };
    let question = format!("Remove {} with its home and everything it remembers{all}?", view.name);
    if !args.yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("nothing was removed", String::new()));
    }
    // By its id: another box may have taken the name while the person thought.
    let id = view.id.as_str();
    let call = match (args.purge, args.force) {
        (true, _) => call::remove_for_good(id),
        (_, true) => call::remove_anyway(id),
        _ => call::remove(id),
    };
    or_interrupt(client.nothing(call)).await?;
    if args.json { out::json(&view) } else { out::say(format!("{}: removed", view.name)) }
}
