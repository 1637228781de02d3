//! `smartbox secret placeholders` and `smartbox secret services`.

use smartbox_api::call;

use super::bound::words;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, table};

/// Shows what a smartbox holds in place of secrets
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let held = or_interrupt(client.all(|page| call::placeholders(&args.name, page))).await?;
    if args.json {
        return out::json(&held);
    }
    if held.is_empty() {
        return out::say(format!(
            "{} holds nothing; `smartbox secret bind NAME --as github` gives it a placeholder.",
            args.name
        ));
    }
    let rows = held.into_iter().flat_map(|one| {
        let (name, scope, placeholder) = (one.name, one.scope, one.placeholder);
        one.to.into_iter().enumerate().map(move |(n, to)| {
            let first = |text: &str| if n == 0 { text.to_owned() } else { String::new() };
            [first(&name), first(&scope), first(&placeholder), words(&to)]
        })
    });
    out::say(table::table(["VARIABLE", "SECRET OF", "PLACEHOLDER", "GOES TO"], rows.collect()))
}

/// Lists the services that a secret can be bound as the key of
#[derive(Debug, clap::Args)]
pub(super) struct Services {
    /// Print an array as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn services(client: &Client, args: &Services) -> Result<(), CliError> {
    let services = or_interrupt(client.all(call::services)).await?;
    if args.json {
        return out::json(&services);
    }
    let rows = services
        .into_iter()
        .map(|service| {
            let hosts: Vec<String> = service.to.into_iter().map(|to| to.host).collect();
            [service.name, service.description, hosts.join(", ")]
        })
        .collect();
    out::say(table::table(["NAME", "DESCRIPTION", "HOSTS"], rows))
}
