//! `smartbox context rm`.

use smartbox_server::config::Env;

use crate::client::contexts::{Contexts, check_name};
use crate::error::CliError;
use crate::ui::out;

/// Forgets a context and its token; the platform itself does not notice.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The context
    #[arg(value_name = "NAME")]
    name: String,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(env: &Env, args: &Args) -> Result<(), CliError> {
    check_name(&args.name)?;
    Contexts::forget(env, &args.name)?;
    if args.json {
        return out::json(&serde_json::json!({ "name": args.name }));
    }
    out::say(format!("{}: forgotten", args.name))
}
