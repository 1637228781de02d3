//! `smartbox egress`: what may leave a smartbox, and what did.

mod add;
mod last;
mod presets;
mod remove;
pub(crate) mod rules;
mod show;

use crate::client::Client;
use crate::error::CliError;

/// Shows what left a smartbox and what was refused, and allows more.
///
/// A smartbox has no network of its own. What it sends out is refused, unless a rule of yours, of its
/// account, of its kind or of the installation allows it.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    show: show::Wanted,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Allows hosts or presets: `smartbox egress allow pa registries api.example.com`
    Allow(add::Args),
    /// Refuses hosts or presets, whoever else allows them
    Deny(add::Args),
    Remove(remove::Args),
    Rules(rules::Args),
    Presets(presets::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    use smartbox_core::egress::Effect;
    match &args.verb {
        None => show::run(client, &args.show).await,
        Some(Verb::Allow(args)) => add::run(client, args, Effect::Allow).await,
        Some(Verb::Deny(args)) => add::run(client, args, Effect::Deny).await,
        Some(Verb::Remove(args)) => remove::run(client, args).await,
        Some(Verb::Rules(args)) => rules::run(client, args).await,
        Some(Verb::Presets(args)) => presets::run(client, args).await,
    }
}
