//! `smartbox account new`.

use smartbox_api::account::NewAccount;
use smartbox_api::call;
use smartbox_core::smartbox::name;

use crate::client::Client;
use crate::cmd::labels;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Makes an account, and with it its smartbox `pa`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: 1 to 40 of a-z, 0-9 and -, beginning with a letter
    name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// A label, like team=support; as often as there are labels
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = labels::pair)]
    labels: Vec<(String, String)>,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    name::check(&args.name).map_err(|e| {
        CliError::usage(e.to_string(), "a name becomes part of an address, like pa-ann.localhost")
    })?;
    let new = NewAccount {
        name: args.name.clone(),
        display_name: args.display.clone(),
        labels: labels::of(&args.labels)?,
    };
    let view = or_interrupt(client.json(call::new_account(&new))).await?;
    super::tell(&view, args.json)?;
    if !args.json {
        let name = &view.name;
        out::note(format!(
            "`smartbox chat pa --account {name}` talks to its PA; `smartbox token create --account \
             {name}` makes a token for its owner."
        ));
    }
    Ok(())
}
