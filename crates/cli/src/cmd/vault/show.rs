//! `smartbox vault show`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Shows which keys secrets are sealed under, never a key
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print an object as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(client.json(call::vault())).await?;
    if args.json {
        return out::json(&view);
    }
    let place = match view.kept_in.as_str() {
        "file" => "in keys/master.key of the data directory",
        "env" => "in the environment of `smartbox up`",
        "keyring" => "in the kernel's keyring",
        other => other,
    };
    out::say(format!("master key  {} ({place})", view.master))?;
    out::say(format!("data key    {}", view.data_key))?;
    if view.left > 0 {
        out::note(
            "note: a change of the data key was cut off; `smartbox vault rotate --data` goes on with it",
        );
    }
    Ok(())
}
