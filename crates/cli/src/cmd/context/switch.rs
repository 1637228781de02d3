//! `smartbox context use`.

use smartbox_server::config::Env;

use crate::client::contexts::Contexts;
use crate::error::CliError;
use crate::ui::out;

/// From now on commands mean this one, unless --context or the environment name another.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The context; `local` for this machine's platform
    #[arg(value_name = "NAME")]
    name: String,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(env: &Env, args: &Args) -> Result<(), CliError> {
    Contexts::choose(env, &args.name)?;
    if args.json {
        return out::json(&serde_json::json!({ "name": args.name }));
    }
    out::say(format!("{}: in use", args.name))
}
