//! `up --insecure-no-sandbox`: everything but isolation, and no word that hides it.
//!
//! The ports are the machine's own there: 18789, 27999 and 3128 have to be free.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::platform::{Platform, pids, puppet};
use crate::story;

const BOOT: Duration = Duration::from_secs(240);
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_whole_life_without_a_sandbox_on_puppet() {
    life(&puppet(), "smartbox-puppet", false);
}

#[test]
fn a_whole_life_without_a_sandbox_on_the_real_engine() {
    life(&story::config(), "openclaw", true);
}

fn life(config: &str, engine: &str, remembers: bool) {
    let mut platform = Platform::start_with(config, &[], &["--insecure-no-sandbox"]);
    platform.wait_for("pa", "running", BOOT);
    it_is_loud(&platform);
    platform.ok(["chat", "pa", "My name is Robin. Please remember it."]);
    let asked = |platform: &Platform| {
        let said = platform.ok(["chat", "pa", "What is my name?"]);
        assert!(!remembers || said.contains("Robin"), "{said}");
    };
    programs_find_their_home(&platform);
    platform.ok(["sleep", "pa"]);
    assert_eq!(platform.state("pa"), "frozen");
    asked(&platform);
    platform.ok(["sleep", "--deep", "pa"]);
    assert_eq!(platform.state("pa"), "stopped");
    assert_eq!(engines(&platform, engine), Vec::<u32>::new(), "nothing of it runs on");
    TcpListener::bind("127.0.0.1:18789").expect("its port is free again");
    asked(&platform);
    one_at_a_time(&platform);

    // The control plane dies.
    let (listen, before) = (platform.listen(), engines(&platform, engine));
    assert!(!before.is_empty());
    platform.kill();
    platform.up(&listen);
    platform.wait_for("pa", "running", BOOT);
    assert_eq!(engines(&platform, engine), before, "the next one adopts it");
    asked(&platform);

    // Init dies: there is no process namespace to take the engine along.
    for pid in platform.box_pids("/init") {
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    }
    asked(&platform);
    let after = engines(&platform, engine);
    assert!(after.iter().all(|pid| !before.contains(pid)), "{before:?} and {after:?} at once");

    platform.ok(["stop", "pa"]);
    assert_eq!(platform.state("pa"), "stopped");
    assert_eq!(engines(&platform, engine), Vec::<u32>::new());
}

/// Whoever looks is told, and told what that means.
fn it_is_loud(platform: &Platform) {
    let doctor = platform.run(["doctor"]);
    assert!(!doctor.status.success(), "`doctor` is content");
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    for (who, said) in
        [("up", platform.said()), ("doctor", doctor), ("status", platform.ok(["status"]))]
    {
        assert!(said.contains("profile none"), "{who}: {said}");
        for lost in ["namespaces", "files", "network", "ports", "one smartbox can be up"] {
            assert!(said.contains(lost), "{who} does not speak of {lost}: {said}");
        }
    }
    let own = platform.ok(["status", "pa"]);
    assert!(own.contains("NOT isolated (--insecure-no-sandbox)"), "{own}");
}

fn programs_find_their_home(platform: &Platform) {
    let home = std::fs::canonicalize(platform.home("pa")).unwrap();
    for ask in ["pwd -P", "cd /home/box && pwd -P", "cd ~ && pwd -P"] {
        let said = platform.ok(["exec", "pa", "--", "sh", "-c", ask]);
        assert_eq!(said.trim(), home.to_str().unwrap(), "{ask}");
    }
}

/// A second one is told why not, and the first goes on.
fn one_at_a_time(platform: &Platform) {
    platform.ok(["new", "other"]);
    platform.run(["start", "other"]);
    platform.wait_for("other", "failed", SOON);
    let why = platform.ok(["status", "other"]);
    assert!(why.contains("one can be up at a time"), "{why}");
    assert_eq!(platform.state("pa"), "running");
    platform.ok(["rm", "--yes", "other"]);
}

/// The engine's processes.
fn engines(platform: &Platform, name: &str) -> Vec<u32> {
    let id = platform.id("pa");
    let is_one = |pid: &u32| {
        let read =
            |file| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        // A dead one may wait for whoever inherited it.
        let lives = !read("stat").contains(") Z ");
        lives && read("cgroup").contains(&id) && read("comm").starts_with(&name[..8])
    };
    let mut found: Vec<u32> = pids().into_iter().filter(is_one).collect();
    found.sort_unstable();
    found
}
