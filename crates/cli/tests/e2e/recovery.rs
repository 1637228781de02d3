//! A machine is lost, with all that ran on it: its smartbox is brought back from a bucket by another one
//! that has the master key and nothing else, and knows what it was told.

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::moto::{KEYS, Moto};
use crate::platform::{Platform, puppet};
use crate::story::config;

const BOOT: Duration = Duration::from_secs(300);
const MARK: &str = ".openclaw/workspace/mark.txt";
/// Of this test alone.
const MASTER: &str = "c21hcnRib3gtZTJlLXJlY292ZXJ5LWtleS0zMmJ5dGU=";

#[test]
fn a_lost_machine_is_brought_back_from_a_bucket() {
    let moto = Moto::start("smartbox");
    // For the figures of other ones, which take longer than a test should.
    let objective = std::env::var("SMARTBOX_TEST_OBJECTIVE").unwrap_or_else(|_| "5s".into());
    let config = format!(
        "{}[snapshots]\nendpoint = {:?}\nbucket = \"smartbox\"\nregion = \"us-east-1\"\nobjective = {objective:?}\n",
        config(),
        moto.endpoint()
    );
    let env = [KEYS[0], KEYS[1], ("SMARTBOX_MASTER_KEY", MASTER)];
    let mut platform = Platform::start(&config, &env);
    platform.ok(["wake", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    let id = platform.id("pa");
    platform.ok(["chat", "pa", "My name is Robin. Please remember it."]);
    let (booted, answered) = a_plain_boot(&platform);
    let marks = marks_until_a_snapshot_is_due(&platform);

    platform.lose_everything(&config);
    let last = marks.last().unwrap();
    platform.up("127.0.0.1:0");
    it_begins_nothing_blank(&platform);

    let lost: Vec<Value> =
        serde_json::from_str(&platform.ok(["snapshot", "lost", "--json"])).unwrap();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!((&lost[0]["id"], &lost[0]["name"]), (&id.into(), &"pa".into()), "{lost:?}");
    let taken = millis(lost[0]["time"].as_i64().unwrap());
    let began = Instant::now();
    platform.ok(["snapshot", "recover", "--all"]);
    platform.ok(["start", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    let up = began.elapsed();
    let said = platform.ok(["chat", "pa", "What is my name?"]);
    let recovered = began.elapsed();
    assert!(said.contains("Robin"), "it has lost its memory: {said}");

    let found = std::fs::read_to_string(platform.home("pa").join(MARK)).unwrap();
    let found = marks.iter().find(|mark| mark.text == found).expect("a mark that was made");
    // Whatever was acknowledged before the newest generation was begun is in it.
    let due = marks.iter().rfind(|mark| mark.at < taken).expect("one before the last snapshot");
    assert!(found.number >= due.number, "{} is lost, {} came back", due.number, found.number);
    eprintln!(
        "objective {objective}: {:.1} s of acknowledged work lost; plain boot {:.1} s, with an answer {:.1} s; \
         recovered and running {:.1} s, with an answer {:.1} s (plain + {:.1} s)",
        last.at.duration_since(found.at).unwrap().as_secs_f64(),
        booted.as_secs_f64(),
        answered.as_secs_f64(),
        up.as_secs_f64(),
        recovered.as_secs_f64(),
        recovered.as_secs_f64() - answered.as_secs_f64(),
    );
}

#[test]
fn a_storage_that_is_silent_is_not_taken_for_an_empty_one() {
    let moto = Moto::start("smartbox");
    // Whoever connects there waits for ever.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = |endpoint: String| {
        let puppet = puppet();
        format!(
            "{puppet}[snapshots]\nendpoint = {endpoint:?}\nbucket = \"smartbox\"\nregion = \"us-east-1\"\n"
        )
    };
    let env = [KEYS[0], KEYS[1]];
    let mut platform =
        Platform::start(&at(format!("http://{}", silent.local_addr().unwrap())), &env);
    platform.hear("no smartbox was made yet");
    assert_eq!(platform.ok(["ls", "--json"]).trim(), "[]");
    platform.term();
    std::fs::write(platform.path("smartbox.toml"), at(moto.endpoint())).unwrap();
    platform.up("127.0.0.1:0");
    platform.wait_for("pa", "running", BOOT);
}

/// How long the same box takes from rest until it runs, and until it has answered.
fn a_plain_boot(platform: &Platform) -> (Duration, Duration) {
    platform.ok(["stop", "pa"]);
    platform.wait_for("pa", "stopped", BOOT);
    let began = Instant::now();
    platform.ok(["start", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    let booted = began.elapsed();
    let said = platform.ok(["chat", "pa", "What is my name?"]);
    assert!(said.contains("Robin"), "{said}");
    (booted, began.elapsed())
}

/// Something that the platform has acknowledged.
struct Mark {
    number: u32,
    text: String,
    at: SystemTime,
}

/// Writes without pause, through three generations and on until the newest is nearly as old as it gets.
fn marks_until_a_snapshot_is_due(platform: &Platform) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut seen = Vec::new();
    let end = Instant::now() + BOOT;
    loop {
        assert!(Instant::now() < end, "snapshots are not taken: {seen:?}");
        let number = u32::try_from(marks.len()).unwrap();
        let text = format!("mark {number}");
        let fed = platform.feed(&["cp", "-", &format!("pa:{MARK}")], &text);
        assert!(fed.status.success(), "{fed:?}");
        marks.push(Mark { number, text, at: now() });
        let status: Value =
            serde_json::from_str(&platform.ok(["snapshot", "status", "pa", "--json"])).unwrap();
        let Some(time) = status["newest"]["time"].as_i64() else { continue };
        if seen.last() != Some(&time) && millis(time) > marks[0].at {
            seen.push(time);
        }
        // A running box is looked at every half of its objective.
        let half = Duration::from_millis(status["objective_ms"].as_u64().unwrap() / 2);
        let age = now().duration_since(millis(time)).unwrap_or_default();
        if seen.len() >= 3 && age > half.mul_f64(0.9) {
            return marks;
        }
    }
}

fn millis(at: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap())
}

/// An account has one PA: a new one would be in the way of that with the memory.
fn it_begins_nothing_blank(platform: &Platform) {
    assert_eq!(platform.ok(["ls", "--json"]).trim(), "[]");
    platform.hear("smartbox snapshot recover --all");
}

#[expect(clippy::disallowed_methods, reason = "the platform goes by it")]
fn now() -> SystemTime {
    SystemTime::now()
}
