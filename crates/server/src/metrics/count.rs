//! Events as they happen.

use smartbox_core::egress::Refusal;
use smartbox_core::egress::port::Happening;
use smartbox_core::smartbox::Reason;
use smartbox_core::telemetry::{Event, Sleep, SnapshotEnd, Telemetry};

use super::{Metrics, labels};

/// Every reason that a start can fail for.
const REASONS: [Reason; 10] = [
    Reason::BadConfig,
    Reason::OutOfMemory,
    Reason::Disk,
    Reason::Quota,
    Reason::Crash,
    Reason::Timeout,
    Reason::EngineTooOld,
    Reason::Runtime,
    Reason::NoRoom,
    Reason::RestoreFailed,
];

/// What an operator sees to; the other reasons appear with the first that is refused for them.
const REFUSALS: [Refusal; 5] =
    [Refusal::NotListed, Refusal::Denied, Refusal::Limit, Refusal::Rate, Refusal::Volume];

impl Telemetry for Metrics {
    fn note(&self, event: Event<'_>) {
        match event {
            Event::Woke { from, took } => {
                self.wakes.get_or_create(&labels::From { from: word(from) }).observe(secs(took));
            }
            Event::FailedStart(reason) => {
                let reason = labels::Reason { reason: reason.as_str() };
                self.failed_starts.get_or_create(&reason).inc();
            }
            Event::Turn { answered, took } => {
                let outcome = if answered { "answered" } else { "failed" };
                self.turns.get_or_create(&labels::Outcome { outcome }).observe(secs(took));
            }
            Event::Model(usage) => self.model(usage),
            Event::Exec { took } => self.execs.observe(secs(took)),
            Event::Request { route, method, status, took } => {
                let (route, method) = (route.into(), known(method));
                let of = labels::Route { route, method };
                self.request_times.get_or_create(&of).observe(secs(took));
                let labels::Route { route, method } = of;
                self.requests.get_or_create(&labels::Request { route, method, status }).inc();
            }
            Event::Visit { status, took } => {
                self.visits.get_or_create(&labels::Class { class: class(status) }).inc();
                self.visit_times.observe(secs(took));
            }
            Event::Egress(what) => self.egress(what),
            Event::Snapshot { end, took, held, added } => {
                let outcome = of_snapshot(end);
                self.snapshots.get_or_create(&labels::Outcome { outcome }).observe(secs(took));
                if end == SnapshotEnd::Taken {
                    self.snapshots_held.observe(secs(held));
                    self.snapshot_bytes.inc_by(added);
                }
            }
            Event::Write { done, took } => {
                let outcome = if done { "done" } else { "refused" };
                self.writes.get_or_create(&labels::Outcome { outcome }).observe(secs(took));
            }
        }
    }
}

impl Metrics {
    /// Makes what is always there, at zero: a rate over what was not there yet is none.
    pub(super) fn begin(&self) {
        for from in [Sleep::Cold, Sleep::Frozen] {
            drop(self.wakes.get_or_create(&labels::From { from: word(from) }));
        }
        for reason in REASONS.map(Reason::as_str) {
            drop(self.failed_starts.get_or_create(&labels::Reason { reason }));
        }
        for outcome in ["answered", "failed"] {
            drop(self.turns.get_or_create(&labels::Outcome { outcome }));
        }
        for end in [SnapshotEnd::Taken, SnapshotEnd::Orphan, SnapshotEnd::Failed] {
            drop(self.snapshots.get_or_create(&labels::Outcome { outcome: of_snapshot(end) }));
        }
        for direction in ["out", "in"] {
            drop(self.egress_bytes.get_or_create(&labels::Direction { direction }));
        }
        for why in REFUSALS {
            drop(self.refused.get_or_create(&labels::Reason { reason: why.as_str() }));
        }
        for outcome in ["done", "refused"] {
            drop(self.writes.get_or_create(&labels::Outcome { outcome }));
        }
    }

    fn egress(&self, what: &Happening) {
        match what {
            Happening::Opened => {
                self.opened.inc();
            }
            Happening::Moved { up, down } => {
                for (direction, bytes) in [("out", *up), ("in", *down)] {
                    self.egress_bytes.get_or_create(&labels::Direction { direction }).inc_by(bytes);
                }
            }
            // Releases are counted where they are made.
            Happening::Secret(_) => {}
            Happening::Refused(why) => {
                self.refused.get_or_create(&labels::Reason { reason: why.as_str() }).inc();
            }
        }
    }

    fn model(&self, usage: &smartbox_core::usage::Usage) {
        let provider = || usage.provider.clone();
        let call = labels::Call { provider: provider(), status: usage.status };
        self.calls.get_or_create(&call).inc();
        let took = std::time::Duration::from_millis(usage.took_ms);
        let by = labels::Provider { provider: provider() };
        self.call_times.get_or_create(&by).observe(secs(took));
        for (kind, count) in [
            ("input", usage.input),
            ("output", usage.output),
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write),
        ] {
            let tokens = labels::Tokens { provider: provider(), kind };
            self.tokens.get_or_create(&tokens).inc_by(count);
        }
    }
}

fn of_snapshot(end: SnapshotEnd) -> &'static str {
    match end {
        SnapshotEnd::Taken => "taken",
        SnapshotEnd::Orphan => "orphan",
        SnapshotEnd::Failed => "failed",
    }
}

fn word(from: Sleep) -> &'static str {
    match from {
        Sleep::Cold => "stopped",
        Sleep::Frozen => "frozen",
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "other",
    }
}

/// A caller may invent a method.
fn known(method: &str) -> &'static str {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("other")
}

fn secs(took: std::time::Duration) -> f64 {
    took.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::Seen;

    #[test]
    fn an_invented_method_is_no_label() {
        let metrics = Metrics::default();
        let took = Duration::ZERO;
        for method in ["GET", "BREW", "PROPFIND"] {
            metrics.note(Event::Request { route: "/x", method, status: 405, took });
        }
        let text = metrics.text(&Seen::example());
        assert!(!text.contains("BREW"), "{text}");
        let line = r#"smartbox_http_requests_total{route="/x",method="other",status="405"} 2"#;
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn a_wake_falls_into_its_bucket() {
        let metrics = Metrics::default();
        metrics.note(Event::Woke { from: Sleep::Frozen, took: Duration::from_millis(70) });
        let text = metrics.text(&Seen::example());
        let bucket = |le: &str, n: u32| {
            format!(r#"smartbox_wake_duration_seconds_bucket{{le="{le}",from="frozen"}} {n}"#)
        };
        assert!(text.contains(&bucket("0.05", 0)) && text.contains(&bucket("0.1", 1)), "{text}");
        // Nothing was woken from the other sleep, and that can be seen.
        assert!(
            text.contains(r#"smartbox_wake_duration_seconds_count{from="stopped"} 0"#),
            "{text}"
        );
    }
}
