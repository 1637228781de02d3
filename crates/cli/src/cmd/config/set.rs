//! `smartbox config set`.

use serde_json::{Value, json};
use smartbox_api::call;
use smartbox_api::config::ConfigQuery;

use super::get::{keys, value};
use super::tell;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Sets one key of a smartbox's engine; a credential is better set by `edit`, which no process can read along
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// The key, like agents.defaults.heartbeat.every
    key: String,
    /// Its value: JSON, or a text; `null` removes the key
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let wrap = |inner: Value, key: &String| json!({ key: inner });
    let patch = keys(&args.key)?.iter().rev().fold(value(&args.value), wrap);
    let call = call::patch_config(&args.name, &patch, ConfigQuery { dry_run: args.dry_run });
    let changed = or_interrupt(client.json(call)).await?;
    tell::changed(&args.name, &changed, args.json)
}
