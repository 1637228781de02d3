//! `smartbox people`: who may come in at all. For operators.

use serde_json::json;
use smartbox_api::call;
use smartbox_api::person::{NewPerson, Operates, PersonChange, PersonView};
use smartbox_core::person::Right;
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::token::right;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, ask, out, table};

/// Lists people, writes them down, disables and removes them; for operators.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Lists everybody
    Ls {
        /// Print an array as JSON
        #[arg(long)]
        json: bool,
    },
    /// Writes somebody down before they come
    Add {
        /// Their address: whoever signs in with it, and a provider vouches for it, is them
        email: String,
        /// What people call them
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// How much of the installation they run: read, manage or own
        #[arg(long, value_name = "RIGHT", value_parser = right)]
        operator: Option<Right>,
        /// Print the person as JSON
        #[arg(long)]
        json: bool,
    },
    /// Changes somebody
    Set {
        /// Their address, or their id
        person: String,
        /// What people call them
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// How much of the installation they run: none, read, manage or own
        #[arg(long, value_name = "RIGHT", value_parser = operates)]
        operator: Option<Operates>,
        /// Shut them out
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Undo --disable
        #[arg(long)]
        enable: bool,
        /// Print the person as JSON
        #[arg(long)]
        json: bool,
    },
    /// Removes somebody with all that they may; asks first
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

fn operates(text: &str) -> Result<Operates, String> {
    match text {
        "none" => Ok(Operates::None),
        "read" => Ok(Operates::Read),
        "manage" => Ok(Operates::Manage),
        "own" => Ok(Operates::Own),
        _ => Err("write none, read, manage or own".to_owned()),
    }
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls { json } => {
            let people = or_interrupt(client.all(call::people)).await?;
            if *json { out::json(&people) } else { listed(people) }
        }
        Verb::Add { email, name, operator, json } => {
            let new = NewPerson { email: email.clone(), name: name.clone(), operator: *operator };
            tell(&or_interrupt(client.json(call::new_person(&new))).await?, *json)
        }
        Verb::Set { person, name, operator, disable, enable, json } => {
            let disabled = (*disable || *enable).then_some(*disable);
            let change = PersonChange { name: name.clone(), operator: *operator, disabled };
            if change == PersonChange::default() {
                let hint = "add --name, --operator or --disable";
                return Err(CliError::usage("nothing is to be changed", hint));
            }
            tell(&or_interrupt(client.json(call::change_person(person, &change))).await?, *json)
        }
        Verb::Rm { person, yes, json } => {
            if !yes && !ask::sure(&format!("Remove {person} with all that they may?"), "--yes")? {
                return Err(CliError::here("nothing was removed", String::new()));
            }
            or_interrupt(client.nothing(call::remove_person(person))).await?;
            if *json {
                return out::json(&json!({ "removed": person }));
            }
            out::say(format!("{person} is removed"))
        }
    }
}

fn listed(people: Vec<PersonView>) -> Result<(), CliError> {
    if people.is_empty() {
        return out::say("There is nobody; `smartbox people add ann@example.com` writes one down.");
    }
    let now = SystemClock.now();
    let row = |person: PersonView| {
        let state = if person.disabled { "disabled" } else { "active" };
        let operator = person.operator.map_or("", |right| right.as_str());
        [
            person.name,
            person.email.unwrap_or_default(),
            state.to_owned(),
            operator.to_owned(),
            age::when(now, person.created),
            person.id.to_string(),
        ]
    };
    let head = ["NAME", "ADDRESS", "STATE", "OPERATOR", "SINCE", "ID"];
    out::say(table::table(head, people.into_iter().map(row).collect()))
}

fn tell(person: &PersonView, json: bool) -> Result<(), CliError> {
    if json {
        return out::json(person);
    }
    let facts = [
        ("person", person.name.clone()),
        ("address", person.email.clone().unwrap_or_default()),
        ("state", if person.disabled { "disabled" } else { "active" }.to_owned()),
        ("operator", person.operator.map_or_else(String::new, |right| right.as_str().to_owned())),
        ("id", person.id.to_string()),
    ];
    let said: Vec<_> = facts.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    out::say(table::facts(&said))
}
