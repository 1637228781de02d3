//! A thousand smartboxes in one control plane: how long they take to make, how fast the fleet answers, and
//! what the control plane holds. `just bench-fleet`; they run `puppet`, since the figures are the platform's.
//!
//! `SMARTBOX_BENCH_BOXES` (1000) says how many, `SMARTBOX_BENCH_AWAKE` (50) how many of them run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a bench, with the helpers of one program"
)]

#[path = "../../tests/e2e/api.rs"]
mod api;
#[path = "../../tests/e2e/platform.rs"]
#[expect(dead_code, reason = "the tests use more of it than the benches")]
mod platform;
#[expect(dead_code, reason = "the other bench says more of its samples")]
#[path = "../platform/samples.rs"]
mod samples;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use platform::Platform;
use samples::Samples;
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(240);

fn main() {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    // A tier's memory is what counts for admission, and a puppet needs a hundredth of it.
    let config = format!(
        "[engine]\nname = \"puppet\"\npath = {puppet:?}\n[boxes]\nboots = 4\novercommit = 0\n"
    );
    let platform = Platform::start(&config, &[]);
    platform.wait_for("pa", "running", LONG);
    let (boxes, awake) = (number("SMARTBOX_BENCH_BOXES", 1000), number("SMARTBOX_BENCH_AWAKE", 50));
    println!("| what | result |\n|---|---|");
    row("control plane with one box, resident", &resident(&platform));
    make(&platform, boxes);
    answers(&platform, &format!("{boxes} boxes, all off"));
    wake(&platform, awake.min(boxes));
    answers(&platform, &format!("{boxes} boxes, {awake} running"));
}

/// Makes them one after another: each is on disk before the next is asked for.
fn make(platform: &Platform, boxes: u32) {
    let (mut first, mut last) = (Samples::default(), Samples::default());
    let begin = Instant::now();
    for n in 0..boxes {
        let new = json!({ "name": format!("b{n}"), "kind": "custom", "desired": "off" });
        let began = Instant::now();
        let (status, made) = call(platform, "POST", "/api/v1/boxes", Some(&new));
        assert_eq!(status, 201, "{made}");
        let of = if n < boxes / 10 { &mut first } else { &mut last };
        if n < boxes / 10 || n >= boxes - boxes / 10 {
            of.push(began.elapsed());
        }
    }
    row(
        &format!("{boxes} creations (target ≤ 60 s)"),
        &format!("{:.1} s", begin.elapsed().as_secs_f64()),
    );
    row("one creation, the first tenth", &first.to_string());
    row("one creation, the last tenth", &last.to_string());
}

fn wake(platform: &Platform, awake: u32) {
    let begin = Instant::now();
    for n in 0..awake {
        let (status, started) =
            call(platform, "POST", &format!("/api/v1/boxes/b{n}/start"), Some(&json!({})));
        assert_eq!(status, 200, "{started}");
    }
    for n in 0..awake {
        platform.wait_for(&format!("b{n}"), "running", LONG);
    }
    row(
        &format!("{awake} of them started and ready"),
        &format!("{:.1} s", begin.elapsed().as_secs_f64()),
    );
}

/// How the fleet answers now, and what the control plane holds.
fn answers(platform: &Platform, when: &str) {
    for (what, path) in [
        ("dashboard (target p99 ≤ 50 ms)", "/api/v1/dashboard"),
        ("a page of 200 boxes", "/api/v1/boxes?limit=200"),
        ("one box", "/api/v1/boxes/b1"),
    ] {
        let mut samples = Samples::default();
        for _ in 0..number("SMARTBOX_BENCH_CALLS", 200) {
            let began = Instant::now();
            let (status, answer) = call(platform, "GET", path, None);
            samples.push(began.elapsed());
            assert_eq!(status, 200, "{path}: {answer}");
        }
        row(&format!("{when}: {what}"), &samples.to_string());
    }
    row(&format!("{when}: control plane, resident (target ≤ 150 MB)"), &resident(platform));
}

fn call(platform: &Platform, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    api::call(platform.data.path(), method, path, body).expect("the platform answers")
}

fn resident(platform: &Platform) -> String {
    let pid = std::fs::read_to_string(platform.path("lock")).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim())).unwrap();
    let kb = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    format!("{:.1} MB", kb.unwrap().trim().parse::<f64>().unwrap() / 1024.0)
}

fn number(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn row(what: &str, result: &str) {
    println!("| {what} | {result} |");
}
