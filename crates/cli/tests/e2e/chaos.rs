//! Kill -9 at random moments under traffic: no acknowledged message is lost, none is there twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::api;
use crate::platform::{Platform, puppet};

/// A generator of the moments, so that a bad run can be run again: `SMARTBOX_CHAOS_SEED`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_acknowledged_message_is_lost_or_doubled_on_puppet() {
    let config = puppet();
    chaos(&config, number("SMARTBOX_CHAOS_ROUNDS", 12), Duration::from_secs(120));
}

#[test]
fn no_acknowledged_message_is_lost_or_doubled_on_the_real_engine() {
    chaos(
        &super::story::config(),
        number("SMARTBOX_CHAOS_REAL_ROUNDS", 1),
        Duration::from_secs(600),
    );
}

/// Sends messages all the time, kills something `rounds` times, and counts.
fn chaos(config: &str, rounds: u64, patience: Duration) {
    let seed = number("SMARTBOX_CHAOS_SEED", u64::from(std::process::id()));
    eprintln!("chaos: SMARTBOX_CHAOS_SEED={seed}");
    let mut dice = Dice(seed);
    let mut platform = Platform::start(config, &[]);
    let listen = platform.listen();
    platform.wait_for("pa", "running", patience);
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(Mutex::new(Vec::<u64>::new()));
    let sender = std::thread::spawn({
        let (data, stop, acknowledged) =
            (platform.data.path().to_owned(), stop.clone(), acknowledged.clone());
        // The engine shows at most a thousand entries of its history: a long run sends more slowly.
        let pause = Duration::from_millis(150 + 2 * rounds);
        move || send(&data, &stop, &acknowledged, pause)
    });
    for round in 0..rounds {
        std::thread::park_timeout(Duration::from_millis(dice.roll(900)));
        match dice.roll(3) {
            0 => {
                platform.kill();
                platform.up(&listen);
            }
            1 => kill_one(&platform, "/init", &mut dice),
            _ => kill_one(&platform, "/engine", &mut dice),
        }
        close_the_breaker(&platform);
        eprintln!(
            "chaos: round {} of {rounds}, {} acknowledged",
            round + 1,
            acknowledged.lock().unwrap().len()
        );
    }
    stop.store(true, Ordering::SeqCst);
    sender.join().unwrap();
    let acknowledged = acknowledged.lock().unwrap().clone();
    assert!(!acknowledged.is_empty());
    let end = Instant::now()
        + patience
        + Duration::from_secs(2) * u32::try_from(acknowledged.len()).unwrap();
    for n in &acknowledged {
        wait_until_final(&platform, *n, end);
    }
    let times = in_history(&platform, end);
    for n in &acknowledged {
        assert_eq!(
            times.get(n),
            Some(&1),
            "message {n} of seed {seed} must be in the history exactly once"
        );
    }
}

/// Sends `m-1`, `m-2`, … until told to stop; each is acknowledged or sent again under the same id.
fn send(
    data: &std::path::Path,
    stop: &AtomicBool,
    acknowledged: &Mutex<Vec<u64>>,
    pause: Duration,
) {
    let mut n = 1;
    while !stop.load(Ordering::SeqCst) {
        let body = json!({ "id": id(n), "text": format!("m-{n}.") });
        match api::call(data, "POST", "/api/v1/boxes/pa/messages", Some(&body)) {
            Some((status, _)) if status < 300 => {
                acknowledged.lock().unwrap().push(n);
                n += 1;
                std::thread::park_timeout(pause);
            }
            _ => std::thread::park_timeout(Duration::from_millis(50)),
        }
    }
}

fn id(n: u64) -> String {
    format!("msg_{n:020}")
}

fn kill_one(platform: &Platform, part: &str, dice: &mut Dice) {
    let pids = platform.box_pids(part);
    if let Some(pid) =
        usize::try_from(dice.roll(pids.len().max(1) as u64)).ok().and_then(|at| pids.get(at))
    {
        let _ = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
    }
}

/// So many kills open the breaker; the person who is there closes it. One may open it a moment later,
/// so that whoever waits closes it again.
fn close_the_breaker(platform: &Platform) {
    let pa = api::call(platform.data.path(), "GET", "/api/v1/boxes/pa", None);
    if pa.is_none_or(|(_, pa)| pa["state"] == "failed") {
        let _ = api::call(platform.data.path(), "POST", "/api/v1/boxes/pa/reset", Some(&json!({})));
    }
}

fn wait_until_final(platform: &Platform, n: u64, end: Instant) {
    loop {
        close_the_breaker(platform);
        let found =
            api::call(platform.data.path(), "GET", &format!("/api/v1/messages/{}", id(n)), None);
        match &found {
            Some((200, message)) if message["state"] == "answered" => return,
            Some((200, message)) => assert_ne!(message["state"], "failed", "{message}"),
            Some((404, _)) => panic!("acknowledged message {n} is lost"),
            _ => {}
        }
        assert!(Instant::now() < end, "message {n} is not answered in time: {found:?}");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// How often each message stands in the engine's history. The last kill may be a moment ago: a box that
/// is on its way back says so with 503 or 504, and is asked again until `end`.
fn in_history(platform: &Platform, end: Instant) -> HashMap<u64, u32> {
    let mut entries = Vec::new();
    let mut path = "/api/v1/boxes/pa/history?limit=200".to_owned();
    loop {
        match api::call(platform.data.path(), "GET", &path, None) {
            Some((200, page)) => {
                entries.extend(page["items"].as_array().expect("a page of entries").clone());
                let Some(next) = page["next"].as_str() else { break };
                path = format!("/api/v1/boxes/pa/history?limit=200&cursor={next}");
                continue;
            }
            Some((409 | 503 | 504, _)) if Instant::now() < end => close_the_breaker(platform),
            other => panic!("the history cannot be read: {other:?}"),
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let mut times = HashMap::new();
    for entry in &entries {
        let text = entry["text"].as_str().unwrap_or_default();
        if entry["role"] == "person"
            && let Some(n) = text
                .strip_prefix("m-")
                .and_then(|rest| rest.strip_suffix('.'))
                .and_then(|n| n.parse().ok())
        {
            *times.entry(n).or_default() += 1;
        }
    }
    times
}
