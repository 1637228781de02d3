//! `smartbox config get`.

use serde_json::Value;
use smartbox_api::call;
use smartbox_core::config::path;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints the configuration of a smartbox's engine, as you wrote it; wakes nobody
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Only what stands here, like agents.defaults.model
    key: Option<String>,
    /// With the platform's part, as the engine is started with it
    #[arg(long)]
    effective: bool,
    /// Print everything that is known of it as JSON: digest, revision, the platform's keys
    #[arg(long, conflicts_with_all = ["key", "effective"])]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(client.json(call::config(&args.name))).await?;
    if args.json {
        return out::json(&view);
    }
    if let Some(why) = &view.unreadable {
        out::note(out::tame(&format!("note: the file cannot be read: {why}")));
    }
    for key in &view.overridden {
        out::note(out::tame(&format!(
            "note: `{key}` is the platform's; what the file says there is overridden"
        )));
    }
    let document = if args.effective { &view.effective } else { &view.document };
    let Some(key) = &args.key else { return out::json(document) };
    let keys = keys(key)?;
    match keys.iter().try_fold(document, |at, key| at.get(key)) {
        Some(value) => out::json(value),
        None => Err(CliError::here(
            format!("nothing is set at `{key}`"),
            "`smartbox config get` without a key shows everything",
        )),
    }
}

pub(super) fn keys(path: &str) -> Result<Vec<String>, CliError> {
    path::keys(path).ok_or_else(|| {
        let hint = "write keys with dots between them: agents.defaults.model; one with a dot in it as models[\"a.b\"]";
        CliError::usage(format!("`{path}` is not the path of a key"), hint)
    })
}

/// What was typed as a value: JSON, or a text if it is none.
pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
