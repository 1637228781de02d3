//! `smartbox config`: the platform's own settings are checked; those of a smartbox's engine are read
//! and changed.

mod check;
mod diff;
mod edit;
mod get;
mod history;
pub(crate) mod patch;
mod reload;
mod rollback;
mod set;
mod tell;

use smartbox_server::config::Env;

use crate::client::{Client, Place};
use crate::error::CliError;

/// Reads and changes the configuration of a smartbox's engine; checks the platform's own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Check(check::Args),
    Get(get::Args),
    Set(set::Args),
    Patch(patch::Args),
    Edit(edit::Args),
    History(history::Args),
    Diff(diff::Args),
    Rollback(rollback::Args),
    Reload(reload::Args),
}

impl Args {
    /// What needs no platform, done; none if it needs one.
    pub(crate) fn alone(&self, place: &Place, env: &Env) -> Option<Result<(), CliError>> {
        match &self.verb {
            Verb::Check(args) => Some(check::run(place, env, args)),
            _ => None,
        }
    }
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        // Done by `alone`.
        Verb::Check(_) => Ok(()),
        Verb::Get(args) => get::run(client, args).await,
        Verb::Set(args) => set::run(client, args).await,
        Verb::Patch(args) => patch::run(client, args).await,
        Verb::Edit(args) => edit::run(client, args).await,
        Verb::History(args) => history::run(client, args).await,
        Verb::Diff(args) => diff::run(client, args).await,
        Verb::Rollback(args) => rollback::run(client, args).await,
        Verb::Reload(args) => reload::run(client, args).await,
    }
}
