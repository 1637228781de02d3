//! `smartbox config patch`.

use std::io::Read;

use serde_json::Value;
use smartbox_api::call;
use smartbox_api::config::{ConfigQuery, MAX_DOCUMENT};

use super::tell;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Merges a JSON merge patch into the configuration of a smartbox's engine
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// The patch, like '{"model": "claude-sonnet-4-5"}'; `null` removes a key. From standard input if absent
    patch: Option<String>,
    /// Only say what would come of it
    #[arg(long)]
    dry_run: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let text = match &args.patch {
        Some(text) => text.clone(),
        None => input()?,
    };
    let patch = document(&text)?;
    let call = call::patch_config(&args.name, &patch, ConfigQuery { dry_run: args.dry_run });
    let changed = or_interrupt(client.json(call)).await?;
    tell::changed(&args.name, &changed, args.json)
}

fn input() -> Result<String, CliError> {
    let mut text = String::new();
    let most = 2 * MAX_DOCUMENT as u64;
    let read = std::io::stdin().lock().take(most).read_to_string(&mut text);
    read.map_err(|e| CliError::here(format!("standard input cannot be read: {e}"), ""))?;
    Ok(text)
}

pub(super) fn document(text: &str) -> Result<Value, CliError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        Ok(_) => Err(CliError::usage("that is not a JSON object", "write `{\"key\": …}`")),
        Err(e) => {
            let place = format!("line {}, column {}", e.line(), e.column());
            Err(CliError::usage(format!("that is not JSON ({place})"), "write `{\"key\": …}`"))
        }
    }
}
