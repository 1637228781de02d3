//! `smartbox account set`.

use smartbox_api::account::AccountChange;
use smartbox_api::call;

use crate::client::Client;
use crate::cmd::labels;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Changes an account.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name or id
    name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// A label to set, like team=support, or to remove, like team-
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = labels::change)]
    labels: Vec<labels::Change>,
    /// Stop its smartboxes and refuse its tokens
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Undo --disable
    #[arg(long)]
    enable: bool,
    /// Print the account as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let disabled = (args.disable || args.enable).then_some(args.disable);
    let change = AccountChange {
        display_name: args.display.clone(),
        labels: args.labels.iter().cloned().collect(),
        disabled,
    };
    if change == AccountChange::default() {
        return Err(CliError::usage(
            "nothing is to be changed",
            "add --display, --label or --disable",
        ));
    }
    let view = or_interrupt(client.json(call::change_account(&args.name, &change))).await?;
    super::tell(&view, args.json)
}
