//! Kill -9 half-way through a bulk restart of fifty: it goes on, says which are done, and does each once.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::platform::Platform;

const BOXES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(600);

#[test]
fn a_bulk_restart_of_fifty_outlives_the_platform() {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    let config = format!(
        "[engine]\nname = \"puppet\"\npath = {puppet:?}\n[boxes]\nboots = 4\novercommit = 0\n"
    );
    let mut platform = Platform::start(&config, &[]);
    let listen = platform.listen();
    for n in 1..BOXES {
        platform.ok(["new", &format!("b{n}"), "--json"]);
    }
    until(|| boxes(&platform).iter().all(|b| b["state"] == "running").then_some(()));
    let before = boxes(&platform);
    assert_eq!(before.len(), BOXES);

    let id = platform.ok(["bulk", "restart", "--all", "--detach"]).trim().to_owned();
    until(|| (done(&show(&platform, &id)) >= BOXES / 2).then_some(()));
    platform.kill();
    platform.up(&listen);
    let taken_up = show(&platform, &id);
    let said = done(&taken_up);
    eprintln!("bulk: {said} of {BOXES} are said to be done after the kill");
    assert!((BOXES / 2..BOXES).contains(&said), "{taken_up}");

    let followed = platform.run(["jobs", "follow", &id]);
    assert!(followed.status.success(), "{}", String::from_utf8_lossy(&followed.stdout));
    let ended = show(&platform, &id);
    assert_eq!((&ended["state"], done(&ended)), (&"succeeded".into(), BOXES), "{ended}");
    assert_eq!(ended["interruptions"], 1);
    for (now, then) in boxes(&platform).iter().zip(&before) {
        let starts = |of: &Value| of["starts"].as_u64().unwrap();
        let times = starts(now) - starts(then);
        assert_eq!(now["state"], "running", "{now}");
        // A boot that the kill cut off is begun again: only of those is it more than one.
        let most = if outcome(&taken_up, now) == "ok" { 1 } else { 2 };
        assert!((1..=most).contains(&times), "{} was started {times} times", now["name"]);
    }
}

/// What is said of a box.
fn outcome<'a>(job: &'a Value, of: &Value) -> &'a str {
    let items = job["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["smartbox"] == of["id"]).unwrap();
    item["outcome"].as_str().unwrap()
}

fn boxes(platform: &Platform) -> Vec<Value> {
    serde_json::from_str(&platform.ok(["ls", "--json"])).unwrap()
}

fn show(platform: &Platform, id: &str) -> Value {
    serde_json::from_str(&platform.ok(["jobs", "show", id, "--json"])).unwrap()
}

/// How many boxes are said to be done.
fn done(job: &Value) -> usize {
    let items = job["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter(|item| item["outcome"] == "ok").count()
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain");
        std::thread::park_timeout(Duration::from_millis(200));
    }
}
