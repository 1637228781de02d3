//! `smartbox account`: whose smartboxes there are. For operators.

mod ls;
mod new;
mod rm;
mod set;
mod show;

use smartbox_api::account::AccountView;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::{age, out, table};

/// Lists, makes, changes and removes accounts; for operators.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Ls(ls::Args),
    New(new::Args),
    Show(show::Args),
    Set(set::Args),
    Rm(rm::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::New(args) => new::run(client, args).await,
        Verb::Show(args) => show::run(client, args).await,
        Verb::Set(args) => set::run(client, args).await,
        Verb::Rm(args) => rm::run(client, args).await,
    }
}

fn state(view: &AccountView) -> &'static str {
    match (view.removing, view.disabled) {
        (true, _) => "going",
        (false, true) => "disabled",
        (false, false) => "active",
    }
}

/// Prints an account, for people or as JSON.
fn tell(view: &AccountView, json: bool) -> Result<(), CliError> {
    if json {
        return out::json(view);
    }
    let labels = super::labels::words(&view.labels);
    let facts = [
        ("account", view.name.clone()),
        ("called", view.display_name.clone()),
        ("state", state(view).to_owned()),
        ("labels", labels),
        ("made", age::when(SystemClock.now(), view.created)),
        ("id", view.id.to_string()),
    ];
    let said: Vec<_> = facts.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    out::say(table::facts(&said))
}
