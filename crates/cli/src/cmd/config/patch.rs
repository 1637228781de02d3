//! `smartbox config patch`.

use std::io::Read;
use std::path::Path;

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
        None => read(Path::new("-"))?,
    };
    let patch = document(&text)?;
    let call = call::patch_config(&args.name, &patch, ConfigQuery { dry_run: args.dry_run });
    let changed = or_interrupt(client.json(call)).await?;
    tell::changed(&args.name, &changed, args.json)
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read(file: &Path) -> Result<String, CliError> {
    let failed = |e: std::io::Error| {
        let what =
            if is_stdin(file) { "standard input".into() } else { file.display().to_string() };
        CliError::here(format!("{what} cannot be read: {e}"), "")
    };
    let from: Box<dyn Read> = match is_stdin(file) {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(std::fs::File::open(file).map_err(failed)?),
    };
    let mut text = String::new();
    from.take(2 * MAX_DOCUMENT as u64).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

pub(crate) fn document(text: &str) -> Result<Value, CliError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        Ok(_) => Err(CliError::usage("that is not a JSON object", "write `{\"key\": …}`")),
        Err(e) => {
            let place = format!("line {}, column {}", e.line(), e.column());
            Err(CliError::usage(format!("that is not JSON ({place})"), "write `{\"key\": …}`"))
        }
    }
}
