//! `smartbox egress <box>`.

use std::collections::BTreeSet;
use std::time::Duration;

use smartbox_api::egress::EgressView;
use smartbox_core::egress::{Host, Refusal};
use smartbox_core::time::{Clock, Timestamp, parse_duration};
use smartbox_server::system::SystemClock;

use super::last::{self, place};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::{age, out, size, table};

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// The smartbox
    #[arg(value_name = "BOX", required = true, add = names())]
    name: Option<String>,
    /// From how long ago, like 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse)]
    since: Duration,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// Print an array of hosts as JSON
    #[arg(long)]
    json: bool,
}

fn parse(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(super) async fn run(client: &Client, args: &Wanted) -> Result<(), CliError> {
    let name = args.name.as_deref().unwrap_or_default();
    let now = SystemClock.now();
    let mut uses = last::uses(client, name, args.since).await?;
    uses.retain(|one| !args.refused || one.refused > 0);
    if args.json {
        return out::json(&uses);
    }
    if uses.is_empty() {
        return out::say(format!(
            "Nothing left {name}, and nothing was refused. `smartbox egress rules {name}` shows what it may reach."
        ));
    }
    let rows = uses.iter().map(|one| row(one, now)).collect();
    out::say(table::table(["HOST", "OPENED", "OUT", "IN", "REFUSED", "LAST", "BY", "WHY"], rows))?;
    if uses.iter().any(|one| matches!(one.why, Some(Refusal::Rate | Refusal::Volume))) {
        out::say(
            "\nWhere it says rate or volume, it was too much, not the wrong host: the operator raises\n\
             [egress] per_minute, out_per_day and in_per_day in smartbox.toml.",
        )?;
    }
    let advice = advice(name, &uses);
    if advice.is_empty() {
        Ok(())
    } else {
        out::say(format!(
            "\nTo allow what was refused (with --once or --for 1h for a while):\n{advice}"
        ))
    }
}

fn row(one: &EgressView, now: Timestamp) -> [String; 8] {
    let why = one.why.map_or(String::new(), |why| why.to_string());
    [
        shown(one),
        one.opened.to_string(),
        size::bytes(one.bytes_out),
        size::bytes(one.bytes_in),
        one.refused.to_string(),
        age::when(now, one.last),
        out::tame(one.by.as_deref().unwrap_or_default()),
        why,
    ]
}

/// As it stands in the table: what is without a port was asked for by a question about its name.
fn shown(one: &EgressView) -> String {
    let name = one.port == 0 && matches!(Host::parse(&one.host), Ok(Host::Name(_)));
    out::tame(&place(one)) + if name { " (name)" } else { "" }
}

/// The command for each that a rule would help.
fn advice(name: &str, uses: &[EgressView]) -> String {
    let mut lines: Vec<String> = uses
        .iter()
        .filter(|one| last::helps(one))
        .map(|one| format!("  smartbox egress allow {name} {}", out::tame(&place(one))))
        .collect();
    // The same host may stand there for several days.
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines.truncate(20);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_comes_with_its_command() {
        let one = |host: &str, port, why| EgressView {
            host: host.into(),
            port,
            day: Timestamp(0),
            opened: 0,
            bytes_out: 0,
            bytes_in: 0,
            refused: 1,
            why: Some(why),
            secrets: vec![],
            by: None,
            last: Timestamp(0),
            allowed: false,
        };
        let over = EgressView { allowed: true, ..one("b.test", 443, Refusal::NotListed) };
        let uses = [
            over,
            one("a.test", 443, Refusal::NotListed),
            one("a.test", 22, Refusal::Port),
            one("10.0.0.1", 443, Refusal::Private),
            one("a.test", 0, Refusal::NotListed),
            one("*.evil.test", 0, Refusal::NotListed),
            one("(others)", 0, Refusal::NotListed),
            one("[2606::1]", 443, Refusal::NotListed),
            one("[2606::1]", 22, Refusal::NotListed),
            one("a.test; rm -rf ~", 443, Refusal::NotListed),
            one("a.test", 443, Refusal::NotListed),
        ];
        let shown: Vec<String> = uses.iter().map(shown).collect();
        assert_eq!(
            shown[1..7].join(", "),
            "a.test, a.test:22, 10.0.0.1, a.test (name), *.evil.test, (others)"
        );
        assert_eq!(
            advice("pa", &uses),
            "  smartbox egress allow pa a.test\n  smartbox egress allow pa a.test:22\n  \
             smartbox egress allow pa [2606::1]\n  smartbox egress allow pa [2606::1]:22"
        );
    }
}
