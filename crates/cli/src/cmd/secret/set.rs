//! `smartbox secret set`.

use smartbox_api::call;
use smartbox_api::secret::{MAX_VALUE, NewSecret};
use smartbox_core::secret::check_name;

use super::{storage, told};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Keeps a secret; its value is asked for unseen, or read from standard input.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name, like ANTHROPIC_API_KEY
    name: String,
    /// Only for this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// For the platform itself and every account of it; for operators
    #[arg(long, conflicts_with = "smartbox")]
    platform: bool,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
    /// Taken only to be refused, so that no parser repeats it in a message.
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = true)]
    value: Vec<String>,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let written = args.name.split_once('=').map(|(name, _)| name);
    if !args.value.is_empty() || written.is_some() {
        let name = written.unwrap_or(&args.name);
        let name = if check_name(name).is_ok() { name } else { "NAME" };
        return Err(CliError::usage(
            "a secret is not taken from the command line: every process of this machine can read \
             it there, and your shell keeps it",
            format!(
                "run `smartbox secret set {name}` and type it, or pipe it in; and replace the one \
                 that you typed, it is no secret any more"
            ),
        ));
    }
    check_name(&args.name).map_err(|e| {
        CliError::usage(e.to_string(), "for example: smartbox secret set ANTHROPIC_API_KEY")
    })?;
    let value = ask::secret(&format!("Value of {}: ", args.name), MAX_VALUE)?;
    if value.expose().trim().is_empty() {
        let hint = format!("`smartbox secret rm {}` forgets one", args.name);
        return Err(CliError::usage("the value is empty", hint));
    }
    if value.expose().len() > MAX_VALUE {
        let what = format!("the value is longer than {} KiB", MAX_VALUE >> 10);
        return Err(CliError::usage(what, "look whether it is the right file"));
    }
    let secret = NewSecret {
        value: value.expose().clone(),
        smartbox: args.smartbox.clone(),
        platform: args.platform,
    };
    or_interrupt(client.nothing(call::set_secret(&args.name, &secret))).await?;
    if args.json {
        return out::json(&told(&args.name, args.smartbox.as_deref(), args.platform));
    }
    out::say(format!("{}: kept", args.name))?;
    if args.platform { storage::note(client, &args.name).await } else { Ok(()) }
}
