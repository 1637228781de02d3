//! Kill -9 half-way through a bulk restart of fifty, and through a bulk patch of their configuration: each
//! goes on, says which are done, and does each once.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::{Value, json};

use crate::platform::Platform;

const BOXES: usize = 50;
const PATIENCE: Duration = Duration::from_secs(600);
const CANARY: &str = "sk-canary-of-a-bulk-patch";

#[test]
fn a_bulk_of_fifty_outlives_the_platform() {
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
    assert_eq!(boxes(&platform).len(), BOXES);
    a_restart_goes_on(&mut platform, &listen);
    a_patch_goes_on(&mut platform, &listen);
}

fn a_restart_goes_on(platform: &mut Platform, listen: &str) {
    let before = boxes(platform);

    let id = platform.ok(["bulk", "restart", "--all", "--detach"]).trim().to_owned();
    until(|| (done(&show(platform, &id)) >= BOXES / 2).then_some(()));
    platform.kill();
    platform.up(listen);
    let taken_up = show(platform, &id);
    let said = done(&taken_up);
    eprintln!("bulk: {said} of {BOXES} are said to be done after the kill");
    assert!((BOXES / 2..BOXES).contains(&said), "{taken_up}");

    let followed = platform.run(["jobs", "follow", &id]);
    assert!(followed.status.success(), "{}", String::from_utf8_lossy(&followed.stdout));
    let ended = show(platform, &id);
    assert_eq!((&ended["state"], done(&ended)), (&"succeeded".into(), BOXES), "{ended}");
    assert_eq!(ended["interruptions"], 1);
    for (now, then) in boxes(platform).iter().zip(&before) {
        let starts = |of: &Value| of["starts"].as_u64().unwrap();
        let times = starts(now) - starts(then);
        assert_eq!(now["state"], "running", "{now}");
        // A boot that the kill cut off is begun again: only of those is it more than one.
        let most = if outcome(&taken_up, now) == "ok" { 1 } else { 2 };
        assert!((1..=most).contains(&times), "{} was started {times} times", now["name"]);
    }
}

/// The patch holds a credential: only the boxes' own homes may know it.
fn a_patch_goes_on(platform: &mut Platform, listen: &str) {
    let patch = json!({ "env": { "vars": { "API_KEY": CANARY } } });
    let dry = platform.feed(&PATCH_DRY, &patch.to_string());
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    assert!(memmem::find(&dry.stdout, CANARY.as_bytes()).is_none());
    assert!(patched(platform).iter().all(|times| *times == 0), "a dry run changes nothing");

    let asked = platform.feed(&PATCH, &patch.to_string());
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let id = String::from_utf8(asked.stdout).unwrap().trim().to_owned();
    until(|| (done(&show(platform, &id)) >= BOXES / 4).then_some(()));
    platform.kill();
    no_canary(platform);
    platform.up(listen);
    let taken_up = show(platform, &id);
    let said = done(&taken_up);
    eprintln!("bulk: {said} of {BOXES} are said to be patched after the kill");
    assert!((BOXES / 4..BOXES).contains(&said), "{taken_up}");
    let followed = platform.run(["jobs", "follow", &id]);
    assert!(followed.status.success(), "{}", String::from_utf8_lossy(&followed.stdout));
    let ended = show(platform, &id);
    assert_eq!((&ended["state"], done(&ended)), (&"succeeded".into(), BOXES), "{ended}");
    assert_eq!(
        (&ended["interruptions"], &ended["input"]["keys"]),
        (&json!(1), &json!(["env.vars.API_KEY"]))
    );
    assert!(!ended.to_string().contains(CANARY), "{ended}");
    assert_eq!(patched(platform), vec![1; BOXES], "each once");
    no_canary(platform);
}

const PATCH: [&str; 8] =
    ["bulk", "config-patch", "--all", "--file", "-", "--delay", "200ms", "--detach"];
const PATCH_DRY: [&str; 6] = ["bulk", "config-patch", "--all", "--file", "-", "--dry-run"];

/// How often the configuration of each box says that it was patched.
fn patched(platform: &Platform) -> Vec<usize> {
    let of = |name: &str| {
        let path = format!("/api/v1/boxes/{name}/config/history?limit=200");
        let (status, page) = crate::api::call(platform.data.path(), "GET", &path, None).unwrap();
        assert_eq!(status, 200, "{page}");
        let revisions = page["items"].as_array().unwrap();
        let ours = |revision: &&Value| {
            // A process that died between the file and its record leaves it to be found.
            revision["how"] == "patched" || revision["how"] == "found"
        };
        revisions.iter().filter(ours).count()
    };
    boxes(platform).iter().map(|row| of(row["name"].as_str().unwrap())).collect()
}

/// Neither the records nor what the platform said hold what was in the patch.
fn no_canary(platform: &Platform) {
    assert!(!platform.said().contains(CANARY));
    let looked = look_through(platform.data.path(), &platform.path("boxes"));
    assert!(looked >= 2, "the database and its log are looked through");
}

fn look_through(dir: &Path, but: &Path) -> usize {
    let mut looked = 0;
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() && path != but {
            looked += look_through(&path, but);
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(memmem::find(&bytes, CANARY.as_bytes()).is_none(), "{}", path.display());
            looked += 1;
        }
    }
    looked
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
