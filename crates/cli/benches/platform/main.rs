//! The figures of `docs/reference/performance.md`: `just bench`. Ratios against a peer in the same run.
//!
//! `SMARTBOX_TEST_ENGINE` names the installed engine. Peers that are not installed are named as missing.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a bench, with the helpers of one program"
)]

#[path = "../../tests/e2e/api.rs"]
mod api;
mod bare;
mod page;
#[path = "../../tests/e2e/platform.rs"]
#[expect(dead_code, reason = "the tests use more of it than the benches")]
mod platform;
mod samples;

use std::process::Command;
use std::time::{Duration, Instant};

use platform::Platform;
use samples::Samples;

const LONG: Duration = Duration::from_secs(240);

fn main() {
    let engine = std::env::var("SMARTBOX_TEST_ENGINE")
        .expect("SMARTBOX_TEST_ENGINE names the installed engine");
    let config = format!("[engine]\npath = {engine:?}\n");
    let platform = Platform::start(&config, &[]);
    platform.wait_for("pa", "running", LONG);
    println!("| what | result |\n|---|---|");
    rest(&platform);
    boots(&platform, engine.as_ref());
    frozen(&platform);
    turns(&platform);
    exec(&platform);
}

fn row(what: &str, result: &str) {
    println!("| {what} | {result} |");
}

/// What the control plane holds with one box.
fn rest(platform: &Platform) {
    let pid = std::fs::read_to_string(platform.path("lock")).unwrap();
    let pid = pid.trim();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kb = status.lines().find_map(|l| {
        l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()
    });
    row(
        "control plane at rest, resident (target ≤ 30 MB)",
        &format!("{:.1} MB", kb.unwrap_or_default() / 1024.0),
    );
}

/// Bare boots of the engine and cold wakes through the platform, in turns.
fn boots(platform: &Platform, engine: &std::path::Path) {
    let (mut bare, mut cold) = (Samples::default(), Samples::default());
    for _ in 0..rounds("SMARTBOX_BENCH_BOOTS", 5) {
        platform.ok(["sleep", "--deep", "pa"]);
        bare.push(bare::boot(platform, engine));
        let begin = Instant::now();
        platform.ok(["wake", "pa"]);
        cold.push(begin.elapsed());
    }
    row("bare boot of the engine until it says that it started", &bare.to_string());
    row("cold wake through the platform", &cold.to_string());
    row("ratio of the medians (target ≤ 1.05)", &format!("{:.2}", cold.median() / bare.median()));
}

/// Requests that wake a frozen box: time to the first byte of the page.
fn frozen(platform: &Platform) {
    let mut page = page::Page::sign_in(platform);
    let (mut awake, mut asleep) = (Samples::default(), Samples::default());
    for _ in 0..rounds("SMARTBOX_BENCH_WAKES", 100) {
        awake.push(page.first_byte());
        platform.ok(["sleep", "pa"]);
        asleep.push(page.first_byte());
    }
    row("first byte of the page, awake", &awake.to_string());
    row(
        "first byte of the page, frozen before (target p99 ≤ 50 ms, resident)",
        &asleep.to_string(),
    );
}

/// A whole first turn after a sleep.
fn turns(platform: &Platform) {
    let (mut awake, mut asleep) = (Samples::default(), Samples::default());
    for _ in 0..rounds("SMARTBOX_BENCH_TURNS", 10) {
        awake.push(timed(|| platform.ok(["chat", "pa", "hello"])));
        platform.ok(["sleep", "pa"]);
        let view =
            api::call(platform.data.path(), "GET", "/api/v1/boxes/pa", None).map(|(_, view)| view);
        let view = view.expect("the state document of a box that is there");
        let memory = view.pointer("/sandbox/memory").expect("its sandbox says what it holds");
        asleep.note(format!("while frozen: {memory}"));
        asleep.push(timed(|| platform.ok(["chat", "pa", "hello"])));
    }
    row("a whole turn, awake", &awake.to_string());
    row("a whole turn, frozen before (target ≤ 1 s)", &asleep.to_string());
}

/// A command in the box, beside `podman exec` in a container that does nothing.
fn exec(platform: &Platform) {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let peer = Command::new("podman").args(["ps", "--format", "{{.Names}}"]).output();
    let peer = peer
        .is_ok_and(|out| String::from_utf8_lossy(&out.stdout).lines().any(|name| name == "bench"));
    for _ in 0..rounds("SMARTBOX_BENCH_EXECS", 50) {
        ours.push(timed(|| platform.ok(["exec", "pa", "--", "true"])));
        if peer {
            theirs.push(timed(|| {
                Command::new("podman").args(["exec", "bench", "true"]).status().is_ok()
            }));
        }
    }
    row("`smartbox exec pa -- true`, the whole command", &ours.to_string());
    if peer {
        row("`podman exec`, the whole command", &theirs.to_string());
        row("ratio of the medians", &format!("{:.2}", ours.median() / theirs.median()));
    } else {
        row("`podman exec`", "not measured: start a container named `bench` first");
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let begin = Instant::now();
    std::hint::black_box(work());
    begin.elapsed()
}

fn rounds(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
