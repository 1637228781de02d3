//! Commands that change a box.

use std::sync::Arc;

use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use smartbox_api::problem::Code;
use tokio::sync::Notify;

use crate::fake::{Fake, refuse, smartbox};
use crate::run::{run, run_with};

/// A platform that answers an act only after the box was looked at twice.
fn slow(verb: &'static str) -> Router {
    let looked = Arc::new(Notify::new());
    let looking = looked.clone();
    let act = post(move || async move {
        looked.notified().await;
        looked.notified().await;
        Json(smartbox("pa", "running", ""))
    });
    let look = get(move || async move {
        looking.notify_one();
        Json(smartbox("pa", "starting", "loading plugins"))
    });
    Router::new().route(&format!("/api/v1/boxes/pa/{verb}"), act).route("/api/v1/boxes/pa", look)
}

#[tokio::test]
async fn long_work_tells_its_phase_and_then_the_state() {
    let fake = Fake::new(slow("wake"));
    let ended = run(fake.dir(), &["wake", "pa"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.out, "pa: running\n");
    assert_eq!(ended.err, "pa: starting: loading plugins\n", "each phase is told once");
    let body: Value = serde_json::from_str(&fake.seen_like("POST")[0].body).unwrap();
    assert_eq!(body, json!({ "wait_ms": 300_000, "deep": false }));
}

#[tokio::test]
async fn every_act_sends_its_verb_and_prints_json_if_asked() {
    for verb in ["wake", "sleep", "restart", "stop", "start", "reset"] {
        let path = format!("/api/v1/boxes/pa/{verb}");
        let act = post(|| async { Json(smartbox("pa", "running", "")) });
        let fake = Fake::new(Router::new().route(&path, act));
        let ended = run(fake.dir(), &[verb, "pa", "--json", "--no-wait"]).await;
        let view: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((&view["name"], &view["state"]), (&json!("pa"), &json!("running")), "{verb}");
        assert!(fake.seen()[0].body.contains("\"wait_ms\":0"), "{verb}");
    }
}

#[tokio::test]
async fn a_deep_sleep_is_asked_for() {
    let act = post(|| async { Json(smartbox("pa", "stopped", "")) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/sleep", act));
    let ended = run(fake.dir(), &["sleep", "pa", "--deep", "--timeout", "10s"]).await;
    assert_eq!(ended.out, "pa: stopped\n");
    assert_eq!(fake.seen_like("POST")[0].body, r#"{"wait_ms":10000,"deep":true}"#);
}

#[tokio::test]
async fn a_new_box_is_what_was_asked_for() {
    let make =
        post(|| async { (http::StatusCode::CREATED, Json(smartbox("work", "stopped", ""))) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes", make));
    let args = ["new", "work", "--kind", "project", "--tier", "standard-2", "--auto", "--json"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let body: Value = serde_json::from_str(&fake.seen()[0].body).unwrap();
    let wanted = json!({
        "name": "work", "kind": "project", "tier": "standard-2", "desired": "auto"
    });
    assert_eq!(body, wanted);
    for bad in ["Work", "-x", "../etc", "api"] {
        let ended = run(fake.dir(), &["new", "--", bad]).await;
        assert_eq!(ended.code, Some(2), "{bad} {ended:?}");
    }
    assert_eq!(fake.seen().len(), 1, "a bad name is not even sent");
    let taken = post(|| async { refuse(Code::Exists, "There is a work.", "Choose another name.") });
    let fake = Fake::new(Router::new().route("/api/v1/boxes", taken));
    assert_eq!(run(fake.dir(), &["new", "work"]).await.code, Some(4));
}

#[tokio::test]
async fn a_new_box_that_starts_at_once_is_not_called_stopped() {
    for (desired, words) in [
        ("on", "work: made, and starting\n"),
        ("auto", "work: stopped\n"),
        ("off", "work: stopped\n"),
    ] {
        let make = post(move || async move {
            let mut made = smartbox("work", "stopped", "");
            made["desired"] = json!(desired);
            (http::StatusCode::CREATED, Json(made))
        });
        let fake = Fake::new(Router::new().route("/api/v1/boxes", make));
        assert_eq!(run(fake.dir(), &["new", "work"]).await.out, words, "{desired}");
    }
}

#[tokio::test]
async fn a_kind_or_tier_that_there_is_none_of_is_a_mistake_in_the_command() {
    let refused = || async { refuse(Code::Refused, "there is none", "choose another") };
    let kinds = || async {
        Json(json!({ "items": [{
            "name": "creative", "base": "project", "description": "", "own": false,
            "egress": [], "tools": [], "files": [], "settings": {},
        }] }))
    };
    let router =
        Router::new().route("/api/v1/boxes", post(refused)).route("/api/v1/kinds", get(kinds));
    let fake = Fake::new(router);
    let ended = run(fake.dir(), &["new", "work", "--kind", "creativ"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("no kind `creativ`") && ended.err.contains("`creative`?"));
    // What was refused for another reason keeps the platform's words and its code.
    let ended = run(fake.dir(), &["new", "work", "--kind", "creative"]).await;
    assert!(ended.code == Some(1) && ended.err.contains("choose another"), "{ended:?}");
}

#[tokio::test]
async fn removing_asks_and_names_the_box_by_its_id() {
    let look = get(|| async { Json(smartbox("pa", "running", "")) });
    let gone = delete(|| async { http::StatusCode::NO_CONTENT });
    let router = Router::new().route("/api/v1/boxes/pa", look).route("/api/v1/boxes/{id}", gone);
    let fake = Fake::new(router);
    let ended = run_with(fake.dir(), &["rm", "pa"], b"y\n").await;
    assert_eq!(ended.code, Some(2), "a pipe is nobody who can be asked: {ended:?}");
    assert!(ended.err.contains("--yes") && fake.seen_like("DELETE").is_empty());
    let ended = run(fake.dir(), &["rm", "pa", "--yes", "--json"]).await;
    let view: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &view["name"]), (Some(0), &json!("pa")));
    let lines: Vec<String> = fake.seen_like("DELETE").into_iter().map(|s| s.line).collect();
    assert_eq!(lines, ["DELETE /api/v1/boxes/box_00000000000000000001"]);
}

#[tokio::test]
async fn a_box_can_be_removed_without_its_last_snapshot_and_that_is_asked_about() {
    let look = get(|| async { Json(smartbox("pa", "running", "")) });
    let gone = delete(|| async { http::StatusCode::NO_CONTENT });
    let router = Router::new().route("/api/v1/boxes/pa", look).route("/api/v1/boxes/{id}", gone);
    let fake = Fake::new(router);
    for (flag, query) in [("--force", "?force=true"), ("--purge", "?purge=true")] {
        let ended = run(fake.dir(), &["rm", "pa", "--yes", flag]).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(0), "pa: removed\n"), "{ended:?}");
        let last = fake.seen_like("DELETE").pop().unwrap().line;
        assert_eq!(last, format!("DELETE /api/v1/boxes/box_00000000000000000001{query}"));
    }
    let before = fake.seen_like("DELETE").len();
    let both = run(fake.dir(), &["rm", "pa", "--yes", "--force", "--purge"]).await;
    assert_eq!((both.code, fake.seen_like("DELETE").len()), (Some(2), before), "{both:?}");
}

#[tokio::test]
async fn a_restart_with_a_refused_configuration_says_so() {
    let mut view = smartbox("pa", "running", "");
    view["issues"] = json!([
        {
            "id": "iss_00000000000000000001", "account": "acc_00000000000000000001",
            "smartbox": "box_00000000000000000001", "kind": "config-refused",
            "severity": "medium", "key": "config-refused box_00000000000000000001",
            "message": "pa: The engine refuses its configuration: \u{1b}oops. It started with the last one that worked.",
            "hint": "Correct it, then `smartbox restart pa`.",
            "count": 1, "first": 1, "last": 1, "resolved": null,
        },
        {
            "id": "iss_00000000000000000002", "account": null, "smartbox": null,
            "kind": "disk-low", "severity": "critical", "key": "disk-low",
            "message": "The disk is nearly full.", "hint": "Free some space.",
            "count": 1, "first": 1, "last": 1, "resolved": null,
        },
    ]);
    let act = post(move || async move { Json(view) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/restart", act));
    let ended = run(fake.dir(), &["restart", "pa"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "pa: running\n"), "{ended:?}");
    assert_eq!(
        ended.err,
        "pa: The engine refuses its configuration: \u{fffd}oops. It started with the last one that worked.\n\
         hint: Correct it, then `smartbox restart pa`.\n"
    );
    let ended = run(fake.dir(), &["restart", "pa", "--no-wait"]).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "nothing is known of it yet");
}

#[tokio::test]
async fn a_fresh_link_is_printed_alone() {
    let url = "http://127.0.0.1:7777/?token=abc";
    let make = post(move || async move { Json(json!({ "url": url })) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/link", make));
    let ended = run(fake.dir(), &["open", "pa"]).await;
    assert_eq!((ended.out.trim(), ended.err.as_str()), (url, ""));
}
