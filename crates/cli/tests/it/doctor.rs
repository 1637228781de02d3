//! Looking at the machine and the configuration, with and without a platform.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::{Fake, smartbox};
use crate::run::{command, end, run};

fn find<'a>(checks: &'a Value, name: &str) -> &'a Value {
    let list = checks.as_array().unwrap();
    list.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {checks}"))
}

#[tokio::test]
async fn without_a_platform_the_machine_is_looked_at_all_the_same() {
    let outer = tempfile::tempdir().unwrap();
    let dir = outer.path().join("data");
    let ended = run(&dir, &["doctor", "--json", "--listen", "127.0.0.1:0"]).await;
    let checks: Value = serde_json::from_str(&ended.out).unwrap();
    for name in ["runtime", "swap", "memory", "disk", "npm", "configuration", "first request"] {
        let check = find(&checks, name);
        assert!(["ok", "warn", "fail"].contains(&check["level"].as_str().unwrap()), "{check}");
        assert!(!check["what"].as_str().unwrap().is_empty());
    }
    let platform = find(&checks, "platform");
    assert_eq!(platform["level"], "warn");
    assert!(platform["hint"].as_str().unwrap().contains("smartbox up"), "{platform}");
    assert_eq!(find(&checks, "port")["level"], "ok");
    assert_eq!(find(&checks, "model key")["level"], "warn");
    let failed = checks.as_array().unwrap().iter().any(|check| check["level"] == "fail");
    assert_eq!(ended.code, Some(i32::from(failed)));
    assert!(!dir.exists(), "it changes nothing");
}

#[tokio::test]
async fn a_taken_port_a_wrong_key_and_no_npm_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let mut doctor = command(dir.path(), &["doctor", "--json"]);
    doctor.env("SMARTBOX_LISTEN", &listen).env("PATH", dir.path());
    let ended = end(doctor.spawn().unwrap()).await;
    let checks: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(ended.code, Some(1));
    assert_eq!(find(&checks, "port")["level"], "fail");
    assert_eq!(find(&checks, "npm")["level"], "fail");
    std::fs::write(dir.path().join("smartbox.toml"), "[sleep]\nafterr = \"1h\"\n").unwrap();
    let ended = run(dir.path(), &["doctor", "--json"]).await;
    let checks: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(find(&checks, "configuration")["hint"], "did you mean `after`?");
    let ended = run(dir.path(), &["config", "check"]).await;
    assert_eq!(ended.code, Some(20));
    assert!(ended.err.contains("there is no key `afterr`"), "{ended:?}");
    assert!(ended.err.contains("hint: did you mean `after`?"), "{ended:?}");
}

#[tokio::test]
async fn a_platform_in_trouble_is_found() {
    let status = || async {
        Json(json!({
            "version": "0.0.0", "pid": 1, "started": 1, "url": "http://127.0.0.1:7777",
            "data_dir": "/d", "account": "me", "engine": { "name": "openclaw", "version": "1" },
            "runtime": { "driver": "native", "profile": "none", "features": {} },
            "models": ["demo"], "missing": ["there is no model key"], "sleep_after": "never",
            "boxes": { "stopped": 0, "starting": 0, "running": 0, "frozen": 0, "failed": 1 },
        }))
    };
    let list = || async {
        let mut failed = smartbox("pa", "failed", "");
        failed["failure"] =
            json!({ "reason": "crash", "message": "it ended", "hint": "look", "at": 1 });
        Json(json!({ "items": [failed] }))
    };
    let router =
        Router::new().route("/api/v1/status", get(status)).route("/api/v1/boxes", get(list));
    let fake = Fake::new(router);
    let ended = run(fake.dir(), &["doctor"]).await;
    assert_eq!(ended.code, Some(1));
    for part in [
        "version 0.0.0",
        "without any isolation",
        "pa: it ended",
        "-> look",
        "there is none; answers",
    ] {
        assert!(ended.out.contains(part), "{part} {}", ended.out);
    }
    let version: Value =
        serde_json::from_str(&run(fake.dir(), &["version", "--json"]).await.out).unwrap();
    assert_eq!(version["platform"], "0.0.0");
}
