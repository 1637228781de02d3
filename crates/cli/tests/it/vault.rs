//! The vault's keys: shown and changed.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::run;

fn vault(left: u64) -> Router {
    let view = move || async move {
        let view = json!({ "master": "0123abcd", "kept_in": "file", "data_key": 2, "left": left });
        Json(view)
    };
    let rotated = || async {
        Json(json!({ "master": "4567cdef", "data_key": 3, "resealed": 12, "resumed": true }))
    };
    Router::new().route("/api/v1/vault", get(view)).route("/api/v1/vault/rotate", post(rotated))
}

#[tokio::test]
async fn keys_are_shown_by_what_says_nothing_about_them() {
    let fake = Fake::new(vault(0));
    let ended = run(fake.dir(), &["vault", "show"]).await;
    assert!(ended.out.contains("0123abcd (in keys/master.key"), "{ended:?}");
    assert!(!ended.err.contains("cut off"), "{ended:?}");
    let shown: Value =
        serde_json::from_str(&run(fake.dir(), &["vault", "show", "--json"]).await.out).unwrap();
    assert_eq!((&shown["data_key"], &shown["left"]), (&json!(2), &json!(0)));
    let ended = run(Fake::new(vault(1)).dir(), &["vault", "show"]).await;
    assert!(ended.err.contains("smartbox vault rotate --data"), "{ended:?}");
}

#[tokio::test]
async fn the_master_key_is_changed_unless_the_data_key_is_meant() {
    let fake = Fake::new(vault(0));
    let ended = run(fake.dir(), &["vault", "rotate"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "the master key is 4567cdef now\n"));
    assert!(ended.err.contains("back up keys/master.key"), "{ended:?}");
    let ended = run(fake.dir(), &["vault", "rotate", "--data"]).await;
    assert!(ended.out.contains("3 now; 12 values") && ended.out.contains("cut off"), "{ended:?}");
    let sent: Vec<String> = fake.seen_like("POST").into_iter().map(|seen| seen.body).collect();
    assert_eq!(sent, [r#"{"what":"master"}"#, r#"{"what":"data"}"#]);
}

/// What is left of a change that was cut off is found by whoever looks.
#[tokio::test]
async fn the_doctor_shows_a_change_that_was_cut_off() {
    let status = || async {
        Json(json!({
            "version": env!("CARGO_PKG_VERSION"), "pid": 1, "started": 1,
            "url": "http://127.0.0.1:7777", "data_dir": "/d", "account": "me",
            "engine": { "name": "openclaw", "version": "1" },
            "runtime": { "driver": "native", "profile": "full", "features": {} },
            "models": ["demo"], "missing": [], "sleep_after": "never",
            "boxes": { "stopped": 0, "starting": 0, "running": 0, "frozen": 0, "failed": 0 },
        }))
    };
    for (left, level) in [(0, "ok"), (1, "warn")] {
        let fake = Fake::new(vault(left).route("/api/v1/status", get(status)));
        let ended = run(fake.dir(), &["doctor", "--json"]).await;
        let checks: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
        let found = checks.iter().find(|check| check["name"] == "vault").unwrap();
        assert_eq!(found["level"], level, "{found}");
        assert_eq!(found["hint"].as_str().unwrap_or_default().contains("--data"), left > 0);
    }
}
