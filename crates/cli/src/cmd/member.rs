//! `smartbox member`: who belongs to an account.

use serde_json::json;
use smartbox_api::call;
use smartbox_api::person::{MemberView, Membership};
use smartbox_core::person::Role;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out, table};

/// Lists, adds and removes the members of your account, or of `--account`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists the members
    Ls {
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes somebody a member, or another one than before
    Add {
        /// Their address, or their id
        person: String,
        /// viewer looks, member works with the smartboxes, owner may everything
        #[arg(long, value_name = "ROLE", default_value = "member", value_parser = role)]
        role: Role,
        /// Print the member as JSON
        #[arg(long)]
        json: bool,
    },
    /// Makes somebody no member any more; asks first
    Rm {
        /// Their address, or their id
        person: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Print whom as JSON
        #[arg(long)]
        json: bool,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "write viewer, member or owner".to_owned())
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    // The account that is acted for, whoever says which.
    let account = or_interrupt(client.json(call::whoami())).await?.account_id.to_string();
    match &args.verb {
        Verb::Ls { json } => {
            let members = or_interrupt(client.all(|page| call::members(&account, page))).await?;
            if *json {
                return out::json(&members);
            }
            if members.is_empty() {
                return out::say(
                    "There is no member; `smartbox member add ann@example.com` makes one.",
                );
            }
            let rows = members.into_iter().map(row).collect();
            out::say(table::table(["NAME", "ADDRESS", "ROLE", "STATE", "ID"], rows))
        }
        Verb::Add { person, role, json } => {
            let what = Membership { role: *role };
            let member =
                or_interrupt(client.json(call::set_member(&account, person, what))).await?;
            if *json {
                return out::json(&member);
            }
            out::say(format!("{} is {} of the account", member.name, member.role.as_str()))
        }
        Verb::Rm { person, yes, json } => {
            if !yes && !ask::sure(&format!("Make {person} no member any more?"), "--yes")? {
                return Err(CliError::here("nothing was changed", String::new()));
            }
            or_interrupt(client.nothing(call::remove_member(&account, person))).await?;
            if *json {
                return out::json(&json!({ "removed": person }));
            }
            out::say(format!("{person} is no member any more"))
        }
    }
}

fn row(member: MemberView) -> [String; 5] {
    let MemberView { person, name, email, disabled, role } = member;
    let state = if disabled { "disabled" } else { "active" };
    [
        name,
        email.unwrap_or_default(),
        role.as_str().to_owned(),
        state.to_owned(),
        person.to_string(),
    ]
}
