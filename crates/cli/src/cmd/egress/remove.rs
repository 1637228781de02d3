//! `smartbox egress remove`.

use smartbox_api::call;
use smartbox_api::egress::EgressRuleView;
use smartbox_core::egress::{Rule, Source, is_preset};
use smartbox_core::id::EgressRuleId;

use super::rules::words;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Takes rules back; what they alone let out is cut
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox, and then the hosts or presets whose rules go: all of a host, or those at its ports
    #[arg(value_name = "BOX> <HOST", num_args = 0.., add = names())]
    what: Vec<String>,
    /// One rule by its id, as `smartbox egress rules` shows it; may be given again
    #[arg(long, value_name = "ID")]
    rule: Vec<EgressRuleId>,
    /// Rules for every smartbox of the account; no smartbox is named then
    #[arg(long)]
    all: bool,
    /// Print an array of the ids as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let (name, hosts) = match args.what.split_first() {
        _ if args.all => (None, &args.what[..]),
        Some((first, rest)) => (Some(first.as_str()), rest),
        None => return Err(nothing()),
    };
    if hosts.is_empty() && args.rule.is_empty() {
        return Err(nothing());
    }
    let mut gone: Vec<(EgressRuleId, String)> =
        args.rule.iter().map(|id| (id.clone(), id.to_string())).collect();
    if !hosts.is_empty() {
        let rules = or_interrupt(client.all(|page| call::egress_rules(name, page))).await?;
        for text in hosts {
            gone.extend(of(&rules, name, text)?);
        }
    }
    for (id, _) in &gone {
        or_interrupt(client.nothing(call::remove_egress_rule(id.as_str(), name))).await?;
    }
    if args.json {
        return out::json(&gone.iter().map(|(id, _)| id).collect::<Vec<_>>());
    }
    let lines: Vec<String> = gone.iter().map(|(_, words)| format!("{words}: removed")).collect();
    out::say(lines.join("\n"))
}

fn nothing() -> CliError {
    CliError::usage(
        "no rule was named",
        "for example: smartbox egress remove pa api.example.com, or: remove pa --rule egr_…",
    )
}

/// The rules about this host or preset that are the smartbox's own, or the account's.
fn of(
    rules: &[EgressRuleView],
    name: Option<&str>,
    text: &str,
) -> Result<Vec<(EgressRuleId, String)>, CliError> {
    let whose = if name.is_some() { Source::Smartbox } else { Source::Account };
    let rule = if is_preset(text) {
        None
    } else {
        let read = Rule::parse(text);
        Some(read.map_err(|bad| CliError::usage(bad.to_string(), "name a host or a preset"))?)
    };
    let meant = |one: &&EgressRuleView| match &rule {
        None => one.preset.as_deref() == Some(text),
        Some(rule) => {
            one.host.as_ref() == Some(&rule.host)
                && (rule.ports.is_empty() || rule.ports == one.ports)
        }
    };
    let own = rules.iter().filter(|one| one.source == whose).filter(meant);
    let found: Vec<_> = own.filter_map(|one| Some((one.id.clone()?, words(one)))).collect();
    if found.is_empty() {
        let whose = name.unwrap_or("--all");
        return Err(CliError::here(
            format!("there is no rule about {} to take back", out::tame(text)),
            format!("`smartbox egress rules {whose}` shows those that count, and who says them"),
        ));
    }
    Ok(found)
}
