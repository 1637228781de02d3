//! `smartbox egress remove`.

use smartbox_api::call;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Takes a rule back; what it alone let out is cut
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", required_unless_present = "all", add = names())]
    name: Option<String>,
    /// The rule's id, as `smartbox egress rules` shows it
    #[arg(long, value_name = "ID")]
    rule: String,
    /// A rule for every smartbox of the account
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// Print the id as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let call = call::remove_egress_rule(&args.rule, args.name.as_deref());
    or_interrupt(client.nothing(call)).await?;
    if args.json {
        return out::json(&serde_json::json!({ "id": args.rule }));
    }
    out::say(format!("{}: removed", args.rule))
}
