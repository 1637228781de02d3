//! `smartbox context`: platforms elsewhere, by name.

mod add;
mod ls;
mod rm;
mod switch;

use smartbox_server::config::Env;

use crate::client::Place;
use crate::error::CliError;

/// Names platforms elsewhere, and keeps the tokens for them.
///
/// `local` is always there: the platform whose data directory is on this machine. Tokens are kept in
/// ~/.config/smartbox/contexts.json, which only you can read, and are never printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Ls(ls::Args),
    Add(add::Args),
    Use(switch::Args),
    Rm(rm::Args),
}

pub(crate) fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls(args) => ls::run(env, args),
        Verb::Add(args) => add::run(place, env, args),
        Verb::Use(args) => switch::run(env, args),
        Verb::Rm(args) => rm::run(env, args),
    }
}
