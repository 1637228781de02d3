//! What is read when somebody asks: from the engine room's memory and the machine's own counters.
//! Nobody is woken for it.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use smartbox_control::Load;
use smartbox_core::issue::Kind;
use smartbox_core::machine::Space;
use smartbox_core::smartbox::State;
use smartbox_core::time::Timestamp;

use super::{PREFIX, labels};

type Number = Gauge<u64, AtomicU64>;

const STATES: [State; 5] =
    [State::Stopped, State::Starting, State::Running, State::Frozen, State::Failed];
const ISSUES: [Kind; 14] = [
    Kind::BoxFailed,
    Kind::BreakerOpen,
    Kind::ConfigRefused,
    Kind::MemoryLimit,
    Kind::HomeFull,
    Kind::ProviderKey,
    Kind::DiskLow,
    Kind::MemoryLow,
    Kind::EgressVolume,
    Kind::EgressRefused,
    Kind::SnapshotLate,
    Kind::SnapshotFailed,
    Kind::SnapshotDamaged,
    Kind::DrillFailed,
];

/// What is seen at one moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// How much there is of everything.
    pub load: Load,
    /// Connections of clients at the edge.
    pub connections: usize,
    /// When the platform was started.
    pub started: Timestamp,
    /// What runs.
    pub build: Build,
}

/// What runs.
#[derive(Debug, Clone)]
pub struct Build {
    /// The engine of new boxes: name and version.
    pub engine: (String, String),
    /// What makes sandboxes: driver and profile.
    pub runtime: (String, String),
}

/// The gauges with what is seen.
pub(super) fn gauges(seen: &Seen) -> Registry {
    let mut to = Registry::with_prefix(PREFIX);
    let Seen { load, connections, build, .. } = seen;
    boxes(&mut to, load);
    work(&mut to, load, *connections);
    snapshots(&mut to, load);
    machine(&mut to, load);
    let build = labels::Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: build.engine.0.clone(),
        engine_version: build.engine.1.clone(),
        runtime: build.runtime.0.clone(),
        profile: build.runtime.1.clone(),
    };
    to.register("build", "What runs", Info::new(build));
    to
}

fn boxes(to: &mut Registry, load: &Load) {
    let states = Family::<labels::State, Number>::default();
    for state in STATES {
        let count = load.states.iter().filter(|s| **s == state).count();
        states.get_or_create(&labels::State { state: state.as_str() }).set(count as u64);
    }
    to.register("boxes", "Boxes by state", states);
    let sandboxes = Family::<labels::State, Number>::default();
    for (state, count) in [("awake", load.claims.awake), ("frozen", load.claims.frozen)] {
        sandboxes.get_or_create(&labels::State { state }).set(count.into());
    }
    to.register("sandboxes", "Sandboxes that count for memory", sandboxes);
    let help =
        "Memory that sandboxes count for: awake for their tier's limit, frozen for what they hold";
    bytes(to, "admission_given", help, load.claims.bytes);
    // Where there is no bound there is no number that would be true.
    if let Some(budget) = load.budget {
        let help =
            "Memory that may be given out to sandboxes: the machine's, times boxes.overcommit";
        bytes(to, "admission_budget", help, budget);
    }
}

fn work(to: &mut Registry, load: &Load, connections: usize) {
    let jobs = Family::<labels::State, Number>::default();
    for (state, count) in [("queued", load.waiting), ("running", load.running)] {
        jobs.get_or_create(&labels::State { state }).set(count as u64);
    }
    to.register("jobs", "Jobs that wait for their turn, and jobs that run", jobs);
    let help = "Connections of clients at the edge, relayed sockets included";
    to.register("edge_connections", help, number(connections as u64));
    let issues = Family::<labels::Issue, Number>::default();
    for kind in ISSUES {
        let count = load.issues.iter().filter(|open| **open == kind).count();
        let of = labels::Issue { severity: kind.severity().as_str(), kind: kind.as_str() };
        issues.get_or_create(&of).set(count as u64);
    }
    to.register("issues_open", "Issues that are open", issues);
}

fn snapshots(to: &mut Registry, load: &Load) {
    let age = Gauge::<f64, AtomicU64>::default();
    age.set(load.snapshot_age.as_secs_f64());
    let help = "How long a running box may have had what is in no snapshot, the longest of them";
    to.register_with_unit("snapshot_age", help, Unit::Seconds, age);
    let help = "Running boxes for which that is longer than their objective";
    to.register("snapshots_past_objective", help, number(load.past_objective as u64));
}

fn machine(to: &mut Registry, load: &Load) {
    let machine = load.machine;
    let spaces: [(&str, &str, Space); 3] = [
        ("memory", "Memory of the machine", machine.memory),
        ("swap", "Swap of the machine", machine.swap),
        ("disk", "The disk with the data directory", machine.disk),
    ];
    for (name, help, space) in spaces {
        bytes(to, &format!("machine_{name}_size"), &format!("{help}, in all"), space.total);
        bytes(to, &format!("machine_{name}_free"), &format!("{help}, what is free"), space.free);
    }
    to.register("machine_cpus", "Processors of the machine", number(machine.cpus.into()));
    let load1 = Gauge::<f64, AtomicU64>::default();
    load1.set(machine.load);
    let help = "Processes that ran or waited to run, on average over the last minute";
    to.register("machine_load1", help, load1);
}

fn bytes(to: &mut Registry, name: &str, help: &str, value: u64) {
    to.register_with_unit(name, help, Unit::Bytes, number(value));
}

fn number(value: u64) -> Number {
    let gauge = Number::default();
    gauge.set(value);
    gauge
}

impl Seen {
    /// Something of everything, for the page and for tests.
    pub(super) fn example() -> Self {
        let build = Build {
            engine: ("openclaw".into(), "1".into()),
            runtime: ("native".into(), "full".into()),
        };
        let load = Load { budget: Some(1), ..Load::default() };
        Self { load, connections: 0, started: Timestamp(0), build }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn each_box_is_in_one_state_and_each_issue_has_its_severity() {
        let mut seen = Seen::example();
        seen.load.states = vec![State::Running, State::Frozen, State::Frozen];
        seen.load.issues = vec![Kind::DiskLow];
        seen.load.budget = None;
        (seen.load.snapshot_age, seen.load.past_objective) = (Duration::from_millis(90_500), 2);
        let text = Metrics::default().text(&seen);
        for line in [
            r#"smartbox_boxes{state="frozen"} 2"#,
            r#"smartbox_boxes{state="running"} 1"#,
            r#"smartbox_boxes{state="stopped"} 0"#,
            r#"smartbox_issues_open{severity="critical",kind="disk-low"} 1"#,
            r#"smartbox_issues_open{severity="high",kind="home-full"} 0"#,
            "smartbox_snapshot_age_seconds 90.5",
            "smartbox_snapshots_past_objective 2",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(!text.contains("admission_budget"), "no bound, no number");
    }
}
