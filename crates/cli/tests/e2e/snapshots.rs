//! Snapshots on the real engine, as a person uses them: taken, looked into, restored, forked, proven,
//! brought back after a removal, and read by the restic program.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::platform::Platform;
use crate::story::config;

const BOOT: Duration = Duration::from_secs(300);
const NOTE: &str = ".openclaw/workspace/note.txt";

#[test]
fn an_assistant_loses_no_memory() {
    let platform = Platform::start(&config(), &[]);
    platform.ok(["wake", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["chat", "pa", "My name is Robin. Please remember it."]);
    write(&platform, "as it was");
    let old = taken(&platform, "pa");

    write(&platform, "changed");
    platform.ok(["chat", "pa", "My name is Kim. Please remember it."]);
    knows(&platform, "pa", "Kim");
    it_says_what_a_restore_would_undo(&platform, old);
    let newer = taken(&platform, "pa");

    the_past_comes_back_and_can_be_undone(&platform, old, newer);
    a_single_file_comes_back(&platform, old);
    restic_reads_it(&platform, old);
    a_copy_lives_on_its_own(&platform, old);
    a_restore_is_proven(&platform);
    a_removed_box_comes_back(&platform);
}

fn write(platform: &Platform, text: &str) {
    let fed = platform.feed(&["cp", "-", &format!("pa:{NOTE}")], text);
    assert!(fed.status.success(), "{fed:?}");
}

fn note(platform: &Platform, name: &str) -> String {
    std::fs::read_to_string(platform.home(name).join(NOTE)).unwrap()
}

fn knows(platform: &Platform, name: &str, who: &str) {
    let said = platform.ok(["chat", name, "What is my name?"]);
    assert!(said.contains(who), "{name} does not know {who}: {said}");
}

fn listed(platform: &Platform, name: &str) -> Vec<Value> {
    serde_json::from_str(&platform.ok(["snapshot", "ls", name, "--json"])).unwrap()
}

/// Takes one, and says its number.
fn taken(platform: &Platform, name: &str) -> u64 {
    let job: Value =
        serde_json::from_str(&platform.ok(["snapshot", "take", name, "--json"])).unwrap();
    assert_eq!(job["state"], "succeeded", "{job}");
    let newest = listed(platform, name).remove(0);
    assert!(newest["verified"].is_i64(), "it was read back: {newest}");
    assert_eq!(newest["id"].as_str().unwrap().len(), 64);
    assert!(newest["time"].is_i64() && newest["files"].as_u64().unwrap() > 10, "{newest}");
    newest["generation"].as_u64().unwrap()
}

fn it_says_what_a_restore_would_undo(platform: &Platform, old: u64) {
    let old = old.to_string();
    let said = platform.ok(["snapshot", "diff", "pa", &old]);
    assert!(said.lines().any(|line| line == format!("M {NOTE}")), "{said}");
    let same = platform.ok(["snapshot", "restore", "pa", &old, "--dry-run"]);
    assert!(same.lines().any(|line| line == format!("M {NOTE}")), "{same}");
    let unasked = platform.run(["snapshot", "restore", "pa", &old]);
    assert_eq!(unasked.status.code(), Some(2), "it asks first: {unasked:?}");
    assert_eq!(note(platform, "pa"), "changed");
    let shown = platform.ok(["snapshot", "show", "pa", &old, ".openclaw/workspace"]);
    assert!(shown.contains("note.txt"), "{shown}");
}

fn the_past_comes_back_and_can_be_undone(platform: &Platform, old: u64, newer: u64) {
    platform.ok(["snapshot", "restore", "pa", &old.to_string(), "--yes"]);
    assert_eq!(note(platform, "pa"), "as it was");
    platform.wait_for("pa", "running", BOOT);
    knows(platform, "pa", "Robin");
    let after = listed(platform, "pa");
    let undo = after.iter().find(|one| one["why"] == "restore");
    assert!(undo.is_some(), "what was replaced is a snapshot: {after:?}");
    assert!(after.iter().any(|one| one["generation"] == newer));

    platform.ok(["snapshot", "restore", "pa", &newer.to_string(), "--yes"]);
    assert_eq!(note(platform, "pa"), "changed");
    knows(platform, "pa", "Kim");
}

fn a_single_file_comes_back(platform: &Platform, old: u64) {
    let old = old.to_string();
    let started = platform.ok(["status", "pa", "--json"]);
    platform.ok(["snapshot", "restore", "pa", &old, NOTE, "--yes"]);
    assert_eq!(note(platform, "pa"), "as it was");
    knows(platform, "pa", "Kim");
    let starts = |text: &str| serde_json::from_str::<Value>(text).unwrap()["starts"].clone();
    let now = platform.ok(["status", "pa", "--json"]);
    assert_eq!(starts(&now), starts(&started), "nothing stopped for it");
    assert_eq!(platform.ok(["snapshot", "get", "pa", &old, NOTE]), "as it was");
    let missing = platform.run(["snapshot", "get", "pa", &old, "no/such"]);
    assert_eq!(missing.status.code(), Some(3), "{missing:?}");
}

/// The ordinary program, by a password, and byte for byte what we give out ourselves.
fn restic_reads_it(platform: &Platform, old: u64) {
    let added = platform.feed(&["snapshot", "password", "pa"], "only for this test, and long\n");
    assert!(added.status.success(), "{added:?}");
    let repository = platform.path("snapshots").join(platform.id("pa")).join("repository");
    let restic = |args: &[&str]| {
        let out = Command::new("restic")
            .arg("--no-lock")
            .arg("-r")
            .arg(&repository)
            .args(args)
            .env("RESTIC_PASSWORD", "only for this test, and long")
            .env("RESTIC_CACHE_DIR", platform.path("restic"))
            .output()
            .unwrap();
        assert!(out.status.success(), "restic {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    restic(&["check", "--read-data"]);
    let listed = listed(platform, "pa");
    let id = listed.iter().find(|one| one["generation"] == old).unwrap()["id"].clone();
    let id = id.as_str().unwrap();
    let theirs = platform.path("by-restic");
    restic(&["restore", id, "--target", theirs.to_str().unwrap()]);
    let (ours, archive) = (platform.path("by-us"), platform.path("by-us.tar"));
    platform.ok([
        "snapshot",
        "get",
        "pa",
        &old.to_string(),
        "--tar",
        "-o",
        archive.to_str().unwrap(),
    ]);
    std::fs::create_dir(&ours).unwrap();
    run("tar", &["-xf", archive.to_str().unwrap(), "-C", ours.to_str().unwrap()]);
    same_trees(&theirs, &ours);
    assert_eq!(std::fs::read_to_string(theirs.join(NOTE)).unwrap(), "as it was");
}

fn same_trees(one: &Path, other: &Path) {
    run("diff", &["-r", "--no-dereference", one.to_str().unwrap(), other.to_str().unwrap()]);
}

fn run(program: &str, args: &[&str]) {
    let out = Command::new(program).args(args).output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {out:?}");
}

fn a_copy_lives_on_its_own(platform: &Platform, old: u64) {
    platform.ok(["snapshot", "fork", "pa", "pa-before", "--generation", &old.to_string()]);
    platform.ok(["start", "pa-before"]);
    platform.wait_for("pa-before", "running", BOOT);
    knows(platform, "pa-before", "Robin");
    knows(platform, "pa", "Kim");
    platform.ok(["rm", "pa-before", "--yes", "--purge"]);
    assert_eq!(platform.ok(["snapshot", "removed", "--json"]).trim(), "[]");
}

fn a_restore_is_proven(platform: &Platform) {
    let before = listed(platform, "pa")[0]["generation"].as_u64().unwrap();
    platform.ok(["snapshot", "drill", "pa"]);
    let status: Value =
        serde_json::from_str(&platform.ok(["snapshot", "status", "pa", "--json"])).unwrap();
    assert_eq!(status["proven"]["passed"], true, "{status}");
    let note = status["proven"]["note"].as_str().unwrap();
    assert!(note.contains("its doctor found it well"), "{status}");
    // A newer one may have been taken meanwhile.
    let proven = status["proven"]["generation"].as_u64().unwrap();
    assert!(
        proven >= before && proven <= status["newest"]["generation"].as_u64().unwrap(),
        "{status}"
    );
    let boxes: Vec<Value> = serde_json::from_str(&platform.ok(["ls", "--json"])).unwrap();
    assert_eq!(boxes.len(), 1, "nothing of the drill stays: {boxes:?}");
    assert_eq!(platform.ok(["snapshot", "removed", "--json"]).trim(), "[]");
}

fn a_removed_box_comes_back(platform: &Platform) {
    write(platform, "the very last");
    platform.ok(["rm", "pa", "--yes"]);
    let removed = platform.ok(["snapshot", "removed"]);
    assert!(removed.contains("pa "), "{removed}");
    platform.ok(["snapshot", "undelete", "pa"]);
    platform.ok(["start", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    assert_eq!(note(platform, "pa"), "the very last");
    knows(platform, "pa", "Kim");
}
