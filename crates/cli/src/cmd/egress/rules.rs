//! `smartbox egress rules`.

use smartbox_api::call;
use smartbox_api::egress::EgressRuleView;
use smartbox_core::egress::WEB_PORTS;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, table};

/// Lists what counts for a smartbox, or the rules of the account
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox; the account if none is named
    #[arg(value_name = "BOX", add = names())]
    name: Option<String>,
    /// The rules for every smartbox of the account
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// Print an array of rules as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let name = args.name.as_deref();
    let rules = or_interrupt(client.all(|page| call::egress_rules(name, page))).await?;
    if args.json {
        return out::json(&rules);
    }
    if rules.is_empty() {
        let whose = name.unwrap_or("--all");
        return out::say(format!(
            "There is no rule, so that nothing gets out. `smartbox egress allow {whose} registries` allows package registries."
        ));
    }
    let now = SystemClock.now();
    let rows = rules.iter().map(|rule| row(rule, now)).collect();
    out::say(table::table(["RULE", "FROM", "ENDS", "ID"], rows))
}

fn row(rule: &EgressRuleView, now: Timestamp) -> [String; 4] {
    let ends = match rule.until {
        _ if rule.once => "after one connection".to_owned(),
        Some(until) => format!("in {}", age::span(until.since(now).as_secs())),
        None => String::new(),
    };
    let id = rule.id.as_ref().map(ToString::to_string).unwrap_or_default();
    [words(rule), rule.source.to_string(), ends, id]
}

/// `allow *.example.com:8443 GET /v1/**`
pub(super) fn words(rule: &EgressRuleView) -> String {
    let mut words = vec![rule.effect.to_string()];
    words.extend(rule.preset.clone());
    words.extend(rule.host.as_ref().map(|host| place(host, &rule.ports)));
    words.extend(rule.methods.iter().cloned());
    words.extend(rule.paths.iter().map(ToString::to_string));
    words.join(" ")
}

/// A host, with its ports if they are not the usual one.
pub(crate) fn place(host: &impl std::fmt::Display, ports: &[u16]) -> String {
    if ports == WEB_PORTS {
        return host.to_string();
    }
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("{host}:{}", ports.join(","))
}
