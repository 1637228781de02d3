//! `smartbox whoami`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, table};

/// Shows who you are to the platform, and what you may.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let who = or_interrupt(client.json(call::whoami())).await?;
    if args.json {
        return out::json(&who);
    }
    let name = who.person.as_ref().map(|person| match &person.email {
        Some(email) if *email != person.name => format!("{} <{email}>", person.name),
        _ => person.name.clone(),
    });
    let right = who.right.map_or("what is shared with you", |right| right.as_str());
    let facts = [
        ("person", name.unwrap_or_default()),
        ("account", who.account),
        ("may", right.to_owned()),
        ("box", who.smartbox.map_or_else(String::new, |id| id.to_string())),
        ("operator", who.operator.map_or_else(String::new, |right| right.as_str().to_owned())),
        ("by", who.by),
        ("audit", who.actor),
    ];
    let said: Vec<_> = facts.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    out::say(table::facts(&said))
}
