//! `docs/reference/metrics.md`, from what is really written: each event is noted once, and the text is
//! read back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use smartbox_core::egress::Refusal;
use smartbox_core::egress::port::Happening;
use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::Reason;
use smartbox_core::telemetry::{Event, Sleep, SnapshotEnd, Telemetry};
use smartbox_core::time::Timestamp;
use smartbox_core::usage::Usage;

use super::{Metrics, Seen};
use crate::system::SystemEntropy;

const HEAD: &str = "\
# Metrics

<!-- Written by scripts/generate.sh. Do not edit. -->

`GET /metrics` answers in the OpenMetrics text format, to an operator: on the local socket, or with the
master token as bearer. With `[metrics] listen` a loopback address answers without a token too.
What to look at, and alarms to set: [the operator's guide](../guides/operations.md).

Asking reads memory and the machine's own counters: no record, and no box is asked or woken.
Counters begin at zero with each start of the platform.
Labels have few values: a route is its template, a provider one that is configured.
No box, account, model, path or address is a label, so the number of series does not grow with the fleet.

";

/// A family of metrics, as its text says.
#[derive(Default)]
struct Described {
    kind: String,
    help: String,
    labels: Vec<String>,
    buckets: Vec<String>,
}

/// The page.
pub fn page() -> String {
    let metrics = Metrics::default();
    for event in events(&usage()) {
        metrics.note(event);
    }
    let mut page = HEAD.to_owned();
    // Writing to a string does not fail.
    let _ = writeln!(page, "| name | type | labels | what |\n|---|---|---|---|");
    let families = read(&metrics.text(&Seen::example()));
    for (name, of) in &families {
        let suffix = match of.kind.as_str() {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let labels: Vec<String> = of.labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, help) = (&of.kind, &of.help);
        let _ = writeln!(page, "| `{name}{suffix}` | {kind} | {} | {help} |", labels.join(", "));
    }
    let _ = writeln!(
        page,
        "\n## Buckets\n\nOf histograms, in seconds; `_count` and `_sum` come with them.\n"
    );
    for (name, of) in families.iter().filter(|(_, of)| !of.buckets.is_empty()) {
        let _ = writeln!(page, "- `{name}`: {}", of.buckets.join(", "));
    }
    page
}

/// One of each. What is new must be here: `note` and this are the two places that know all of them.
fn events(usage: &Usage) -> [Event<'_>; 13] {
    let took = Duration::ZERO;
    [
        Event::Woke { from: Sleep::Cold, took },
        Event::FailedStart(Reason::Crash),
        Event::Turn { answered: true, took },
        Event::Turn { answered: false, took },
        Event::Model(usage),
        Event::Exec { took },
        Event::Request { route: "/", method: "GET", status: 200, took },
        Event::Visit { status: 200, took },
        Event::Egress(&Happening::Opened),
        Event::Egress(&Happening::Moved { up: 1, down: 1 }),
        Event::Egress(&Happening::Refused(Refusal::NotListed)),
        Event::Snapshot { end: SnapshotEnd::Taken, took, held: took, added: 1 },
        Event::Write { done: true, took },
    ]
}

fn usage() -> Usage {
    Usage {
        // Any id: it is no label.
        smartbox: SmartboxId::generate(&SystemEntropy),
        provider: "anthropic".into(),
        model: String::new(),
        input: 0,
        output: 0,
        cache_read: 0,
        cache_write: 0,
        status: 200,
        at: Timestamp(0),
        took_ms: 0,
    }
}

/// The families of a text in the OpenMetrics format.
fn read(text: &str) -> BTreeMap<String, Described> {
    let mut families: BTreeMap<String, Described> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            name.clone_into(&mut last);
            help.clone_into(&mut families.entry(last.clone()).or_default().help);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' '))
        {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else if let Some((_, rest)) = line.split_once('{').filter(|_| !line.starts_with('#')) {
            let Some((labels, _)) = rest.rsplit_once('}') else { continue };
            let of = families.entry(last.clone()).or_default();
            for (label, value) in labels.split("\",").filter_map(|pair| pair.split_once("=\"")) {
                let value = value.trim_end_matches('"').to_owned();
                match label {
                    "le" if value == "+Inf" || of.buckets.contains(&value) => {}
                    "le" => of.buckets.push(value),
                    _ if of.labels.iter().any(|known| known == label) => {}
                    _ => of.labels.push(label.to_owned()),
                }
            }
        }
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_family_with_labels_and_buckets() {
        let page = page();
        let row = "| `smartbox_model_tokens_total` | counter | `provider`, `kind` | Tokens of model calls, as providers report them. |";
        assert!(page.contains(row), "{page}");
        assert!(page.contains("| `process_resident_memory_bytes` | gauge |  |"), "{page}");
        assert!(page.contains("- `smartbox_wake_duration_seconds`: 0.02, 0.05,"), "{page}");
    }
}
