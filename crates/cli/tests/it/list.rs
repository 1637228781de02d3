//! Listings, for people and for programs.

use axum::extract::RawQuery;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::{Fake, smartbox};
use crate::run::run;

fn boxes() -> Router {
    let list = || async {
        let mut failed = smartbox("work", "failed", "");
        failed["failure"] =
            json!({ "reason": "crash", "message": "it ended", "hint": "h", "at": 1 });
        Json(json!({ "items": [smartbox("pa", "starting", "waiting for the engine"), failed] }))
    };
    Router::new().route("/api/v1/boxes", get(list))
}

#[tokio::test]
async fn a_listing_is_an_array_with_name_kind_and_state() {
    let fake = Fake::new(boxes());
    let ended = run(fake.dir(), &["ls", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(list[0]["name"], "pa");
    assert_eq!(list[0]["kind"], "pa");
    assert_eq!(list[1]["state"], "failed");
}

#[tokio::test]
async fn a_listing_for_people_has_a_line_for_each() {
    let fake = Fake::new(boxes());
    let ended = run(fake.dir(), &["ls"]).await;
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("NAME  KIND  STATE"), "{ended:?}");
    assert!(lines[1].starts_with("pa    pa    starting: waiting for the engine"), "{ended:?}");
    assert!(lines[2].contains("failed: it ended"), "{ended:?}");
    assert!(!ended.out.contains('\u{1b}'), "no colours where nobody sees them");
}

#[tokio::test]
async fn an_empty_listing_says_what_to_do_and_is_an_array_all_the_same() {
    let list = || async { Json(json!({ "items": [] })) };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    assert!(run(fake.dir(), &["ls"]).await.out.contains("smartbox new"));
    assert_eq!(run(fake.dir(), &["ls", "--json"]).await.out.trim(), "[]");
}

#[tokio::test]
async fn what_a_platform_sends_cannot_drive_the_terminal() {
    let list =
        || async { Json(json!({ "items": [smartbox("pa", "running", "\u{1b}]0;evil\u{7}")] })) };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    let ended = run(fake.dir(), &["ls"]).await;
    assert!(ended.out.contains("evil") && !ended.out.contains('\u{1b}'), "{ended:?}");
}

#[tokio::test]
async fn a_listing_follows_its_pages_to_the_last() {
    let list = |RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        Json(if query.contains("cursor=more%2B") {
            json!({ "items": [smartbox("two", "running", "")] })
        } else {
            json!({ "items": [smartbox("one", "running", "")], "next": "more+" })
        })
    };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    let ended = run(fake.dir(), &["ls", "--json"]).await;
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|b| b["name"].as_str()).collect();
    assert_eq!(names, [Some("one"), Some("two")]);
}

#[tokio::test]
async fn a_failure_is_said_once_and_one_is_no_plural() {
    let look = || async {
        let mut failed = smartbox("pa", "failed", "failed");
        let message = "The engine refuses its configuration.";
        failed["failure"] =
            json!({ "reason": "bad-config", "message": message, "hint": "h", "at": 1 });
        failed["usage"] = json!({ "calls": 1, "input": 2, "output": 3 });
        failed["waiting"] = json!(1);
        failed["notice"] = json!("It runs with the last good one.");
        let issue = |message: &str| {
            json!({
                "id": "iss_00000000000000000001", "account": "acc_00000000000000000001",
                "kind": "config-refused", "severity": "medium", "key": "k", "message": message,
                "hint": "h", "count": 1, "first": 1, "last": 1,
            })
        };
        failed["issues"] = json!([
            issue("pa: The engine refuses its configuration."),
            issue("pa: It runs with the last good one."),
            issue("pa: its home is nearly full."),
        ]);
        Json(failed)
    };
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa", get(look)));
    let ended = run(fake.dir(), &["status", "pa"]).await;
    let count = |text: &str| ended.out.matches(text).count();
    assert!(ended.out.contains("failed: The engine refuses its configuration.\n"), "{ended:?}");
    assert_eq!((count("refuses its"), count("last good one"), count("nearly full")), (1, 1, 1));
    assert!(count("1 call:") == 1 && count("1 message without") == 1, "{ended:?}");
}

#[tokio::test]
async fn what_goes_on_in_one_that_runs_is_no_second_state() {
    let list = || async { Json(json!({ "items": [smartbox("pa", "running", "stopping")] })) };
    let fake = Fake::new(Router::new().route("/api/v1/boxes", get(list)));
    let ended = run(fake.dir(), &["ls"]).await;
    assert!(ended.out.contains("running, stopping"), "{ended:?}");
}
