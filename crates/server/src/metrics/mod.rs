//! What is counted, for Prometheus: events as they happen (`count`), and gauges that are read when
//! somebody asks (`gauges`).
//!
//! Every label has few values, whatever boxes and callers do: a route is its template, a provider one
//! that is configured, all others are words of ours. No box, account, model, path or address is a
//! label: a box chooses its model, and a caller its path.

mod count;
mod gauges;
mod labels;
pub mod page;
mod process;
mod store;
mod witness;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use gauges::{Build, Seen};
pub use store::Counted;
pub use witness::Noted;

/// How what this module writes is called in HTTP.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Before every name that is not the process's own.
const PREFIX: &str = "smartbox";

/// A thaw takes tens of milliseconds, a boot tens of seconds.
const WAKE: [f64; 12] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0];
/// What is unchanged is seen in a second; ten gigabytes take minutes.
const SNAPSHOT: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0];
/// Half a gigabyte is to be held for 300 ms at the most.
const HELD: [f64; 9] = [0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// Most are answered from memory; some wait for a wake.
const REQUEST: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// A common commit gathers for five milliseconds.
const WRITE: [f64; 10] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];
/// From a word to minutes of work with tools.
const TURN: [f64; 11] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// A call is a part of a turn.
const CALL: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// From `true` to a night's work.
const EXEC: [f64; 11] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 1800.0, 7200.0];

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// Counts events. One per process.
pub struct Metrics {
    registry: Registry,
    requests: Family<labels::Request, Counter>,
    request_times: Times<labels::Route>,
    visits: Family<labels::Class, Counter>,
    visit_times: Histogram,
    wakes: Times<labels::From>,
    failed_starts: Family<labels::Reason, Counter>,
    turns: Times<labels::Outcome>,
    calls: Family<labels::Call, Counter>,
    call_times: Times<labels::Provider>,
    tokens: Family<labels::Tokens, Counter>,
    execs: Histogram,
    opened: Counter,
    egress_bytes: Family<labels::Direction, Counter>,
    refused: Family<labels::Reason, Counter>,
    snapshots: Times<labels::Outcome>,
    snapshots_held: Histogram,
    snapshot_bytes: Counter,
    writes: Times<labels::Outcome>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut this = Self {
            registry: Registry::with_prefix(PREFIX),
            requests: Family::default(),
            request_times: Times::new_with_constructor(|| Histogram::new(REQUEST)),
            visits: Family::default(),
            visit_times: Histogram::new(REQUEST),
            wakes: Times::new_with_constructor(|| Histogram::new(WAKE)),
            failed_starts: Family::default(),
            turns: Times::new_with_constructor(|| Histogram::new(TURN)),
            calls: Family::default(),
            call_times: Times::new_with_constructor(|| Histogram::new(CALL)),
            tokens: Family::default(),
            execs: Histogram::new(EXEC),
            opened: Counter::default(),
            egress_bytes: Family::default(),
            refused: Family::default(),
            snapshots: Times::new_with_constructor(|| Histogram::new(SNAPSHOT)),
            snapshots_held: Histogram::new(HELD),
            snapshot_bytes: Counter::default(),
            writes: Times::new_with_constructor(|| Histogram::new(WRITE)),
        };
        this.register();
        this.begin();
        this
    }
}

impl Metrics {
    fn register(&mut self) {
        let to = &mut self.registry;
        let help = "Requests to the platform's own API and pages that were answered";
        to.register("http_requests", help, self.requests.clone());
        let help = "From a request to the platform to the head of its answer";
        seconds(to, "http_request_duration", help, self.request_times.clone());
        let help = "Requests on the hosts of boxes that were answered, by the edge or by the box";
        to.register("edge_requests", help, self.visits.clone());
        let help = "From a request on a box's host to the head of its answer, a wake included";
        seconds(to, "edge_request_duration", help, self.visit_times.clone());
        let help = "From the wish that a box be awake to the engine's answer";
        seconds(to, "wake_duration", help, self.wakes.clone());
        let help = "Starts and thaws that failed, by the reason that the box then shows";
        to.register("start_failures", help, self.failed_starts.clone());
        let help = "From a message's acceptance to the end of its turn";
        seconds(to, "turn_duration", help, self.turns.clone());
        let help = "Model calls that ended; 499 is a box that hung up";
        to.register("model_calls", help, self.calls.clone());
        let help = "From a model call's beginning to its last byte";
        seconds(to, "model_call_duration", help, self.call_times.clone());
        let help = "Tokens of model calls, as providers report them";
        to.register("model_tokens", help, self.tokens.clone());
        let help = "From the beginning of a command in a box to its end";
        seconds(to, "exec_duration", help, self.execs.clone());
        let help = "Connections and requests of boxes that were let out";
        to.register("egress_connections", help, self.opened.clone());
        let help = "Bytes that boxes sent and fetched";
        to.register_with_unit("egress", help, Unit::Bytes, self.egress_bytes.clone());
        let help = "What was refused to boxes that wanted out, or was cut, by the reason";
        to.register("egress_refusals", help, self.refused.clone());
        self.register_snapshots();
        let to = &mut self.registry;
        let help =
            "From the asking for a unit of work on the records to its commit, or its refusal";
        seconds(to, "store_write_duration", help, self.writes.clone());
    }

    fn register_snapshots(&mut self) {
        let to = &mut self.registry;
        let help =
            "From the first look at a home to its snapshot in the records, by what came of it";
        seconds(to, "snapshot_duration", help, self.snapshots.clone());
        let help = "For how long boxes were held still for a snapshot";
        seconds(to, "snapshot_held", help, self.snapshots_held.clone());
        let help = "Bytes that the storage of snapshots grew by";
        to.register_with_unit("snapshot_added", help, Unit::Bytes, self.snapshot_bytes.clone());
    }

    /// Everything that is counted and seen, as OpenMetrics text.
    pub fn text(&self, seen: &Seen) -> String {
        let mut text = String::with_capacity(32 << 10);
        // Writing to a string does not fail, and the values are numbers and words.
        let _ = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &gauges::gauges(seen)))
            .and_then(|()| encode_registry(&mut text, &process::gauges(seen.started)))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

fn seconds(
    to: &mut Registry,
    name: &str,
    help: &str,
    metric: impl prometheus_client::registry::Metric,
) {
    to.register_with_unit(name, help, Unit::Seconds, metric);
}
