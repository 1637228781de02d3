//! Assistants that come from elsewhere, on the real engine: each of the layouts that other installations
//! left becomes a smartbox that starts and knows what it was told.
//!
//! The memory is the real engine's own. Where an installation is of a time when conversations were files,
//! it is written down as such files, as the engine of that time did.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::old::{LAYOUTS, Layout, NAME, Old};
use crate::platform::Platform;
use crate::story::config;

const BOOT: Duration = Duration::from_secs(300);

/// Those that differ most: the original's archive of files, its parts side by side, the engine's own
/// archive, and ours.
const OFTEN: [&str; 4] =
    ["backup.tar.gz", "openclaw, workspace and skills", "openclaw backup", "smartbox export"];

#[test]
fn an_assistant_that_comes_from_elsewhere_remembers() {
    arrive(&|layout| OFTEN.contains(&layout.name));
}

#[test]
#[ignore = "each of them is a boot of the engine: `just arrivals`"]
fn an_assistant_of_each_layout_remembers() {
    arrive(&|_| true);
}

fn arrive(wanted: &dyn Fn(&Layout) -> bool) {
    let platform = Platform::start(&config(), &[]);
    let work = tempfile::tempdir().unwrap();
    let old = remembered(&platform, work.path());
    let mut bad = Vec::new();
    for (n, layout) in LAYOUTS.iter().enumerate().filter(|(_, layout)| wanted(layout)) {
        let at = work.path().join(format!("layout-{n}"));
        std::fs::create_dir(&at).unwrap();
        let source = (layout.lay)(&old, &at);
        let name = format!("old-{n}");
        // One that is bad does not hide the others.
        let lived = std::panic::catch_unwind(AssertUnwindSafe(|| {
            came(&platform, layout, &source, &name);
            knows(&platform, layout, &name);
        }));
        match lived {
            Ok(()) => eprintln!("{}: it came, started, and knows {NAME}", layout.name),
            Err(_) => bad.push(layout.name),
        }
        platform.run(["rm", &name, "--yes", "--purge"]);
    }
    assert!(bad.is_empty(), "these did not: {bad:?}");
}

/// An assistant that was told something, stopped, and taken along in each way that there is.
fn remembered(platform: &Platform, work: &Path) -> Old {
    platform.ok(["wake", "pa"]);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["chat", "pa", &format!("My name is {NAME}. Please remember it.")]);
    let fed = platform.feed(&["cp", "-", "pa:.openclaw/workspace/MEMORY.md"], crate::old::MEMORY);
    assert!(fed.status.success(), "{fed:?}");
    let said: Vec<Value> = serde_json::from_str(&platform.ok(["history", "pa", "--json"])).unwrap();
    // The engine's own program makes its own archive.
    let program = ["/opt/engine/bin/node", "/opt/engine/node_modules/openclaw/openclaw.mjs"];
    let order = ["exec", "pa", "--"].into_iter().chain(program);
    platform.ok(order.chain(["backup", "create", "--verify", "--output", "/home/box/kept.tar.gz"]));
    platform.ok(["stop", "pa"]);
    let old = Old::new(work, said, &platform.home("pa"));
    platform.ok(["export", "pa", "-q", "-o", old.export().to_str().unwrap()]);
    old
}

fn came(platform: &Platform, layout: &Layout, source: &Path, name: &str) {
    let said = platform.ok([
        "import",
        source.to_str().unwrap(),
        "--name",
        name,
        "--kind",
        "custom",
        "--quiet",
        "--json",
    ]);
    let came: Value = serde_json::from_str(&said).unwrap();
    eprintln!("{}: {came}", layout.name);
    assert_eq!(came["layout"], layout.origin, "{}: {came}", layout.name);
    let memory = platform.home(name).join(".openclaw/workspace/MEMORY.md");
    assert_eq!(std::fs::read_to_string(memory).unwrap(), crate::old::MEMORY, "{}", layout.name);
}

fn knows(platform: &Platform, layout: &Layout, name: &str) {
    platform.ok(["start", name]);
    platform.wait_for(name, "running", BOOT);
    let history = platform.ok(["history", name]);
    let told = format!("My name is {NAME}.");
    assert!(history.contains(&told), "{}: it forgot: {history}", layout.name);
    let said = platform.ok(["chat", name, "What is my name?"]);
    assert!(said.contains(NAME), "{}: it does not know: {said}", layout.name);
}
