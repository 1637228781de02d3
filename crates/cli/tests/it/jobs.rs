//! Jobs and bulks: shown, followed across a platform that dies, and the exit code is the job's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::HeaderMap;
use serde_json::{Value, json};
use smartbox_api::problem::Code;
use smartbox_api::sse;

use crate::fake::{BrokenOff, Fake, pieces, refuse, whole};
use crate::run::{run, run_with};

const ID: &str = "job_00000000000000000001";

fn job(state: &str) -> Value {
    json!({
        "id": ID, "kind": "bulk.restart", "state": state, "attempts": 1, "interruptions": 0,
        "progress": { "done": 2, "total": 3, "unit": "boxes", "note": "two: ok" }, "created": 1,
        "failure": (state == "failed").then(|| json!({"code": "odd", "detail": "\u{1b}odd", "hint": "h"})),
    })
}

fn items(outcome: &str) -> Value {
    json!({ "items": [
        { "smartbox": "box_1", "name": "one", "outcome": "ok", "at": 1 },
        { "smartbox": "box_2", "name": "two", "outcome": outcome, "reason": "late: \u{1b}", "at": 1 },
    ] })
}

fn event(seq: u64, what: Value) -> String {
    let mut event = what;
    let word = event["event"].as_str().unwrap().to_owned();
    event["seq"] = seq.into();
    event["at"] = 1.into();
    sse::numbered(seq, &word, &event)
}

/// A job that is over, the way it ended, and the outcome of its second box.
fn over(state: &'static str, outcome: &'static str) -> Router {
    let events = || async {
        let last = event(9, json!({ "event": "state", "state": "succeeded" }));
        ([(http::header::CONTENT_TYPE, sse::MEDIA_TYPE)], whole(last))
    };
    Router::new()
        .route(&format!("/api/v1/jobs/{ID}"), get(move || async move { Json(job(state)) }))
        .route(
            &format!("/api/v1/jobs/{ID}/items"),
            get(move || async move { Json(items(outcome)) }),
        )
        .route(&format!("/api/v1/jobs/{ID}/events"), get(events))
        .route("/api/v1/jobs", get(move || async move { Json(json!({ "items": [job(state)] })) }))
}

#[tokio::test]
async fn none_at_all_is_told_from_none_of_those() {
    let none = || async { Json(json!({ "items": [] })) };
    let fake = Fake::new(Router::new().route("/api/v1/jobs", get(none)));
    assert_eq!(run(fake.dir(), &["jobs", "ls"]).await.out, "There are no jobs.\n");
    let some = run(fake.dir(), &["jobs", "ls", "--state", "failed"]).await;
    assert_eq!(some.out, "There is no such job.\n");
}

#[tokio::test]
async fn jobs_are_listed_and_shown_for_people_and_programs() {
    let fake = Fake::new(over("failed", "failed"));
    let ended = run(fake.dir(), &["jobs", "ls", "--box", "a b", "--state", "failed"]).await;
    assert!(ended.out.starts_with("JOB") && ended.out.contains("2/3 boxes"), "{ended:?}");
    assert!(!ended.out.contains('\u{1b}'), "what a job says cannot drive the terminal");
    assert!(fake.seen()[0].line.contains("box=a%20b&state=failed&limit="), "{:?}", fake.seen()[0]);
    let ended = run(fake.dir(), &["jobs", "ls", "--json"]).await;
    let list: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(list[0]["id"], ID);
    let ended = run(fake.dir(), &["jobs", "show", ID]).await;
    assert!(
        ended.out.contains("failed") && ended.out.contains("two   failed   late:"),
        "{ended:?}"
    );
    let ended = run(fake.dir(), &["jobs", "show", ID, "--json"]).await;
    let shown: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&shown["state"], &shown["items"][1]["outcome"]),
        (&json!("failed"), &json!("failed"))
    );
    assert_eq!(run(fake.dir(), &["jobs", "ls", "--state", "odd"]).await.code, Some(2));
}

#[tokio::test]
async fn a_followed_job_ends_the_command_as_it_ended() {
    for (state, outcome, code) in [
        ("succeeded", "ok", 0),
        ("succeeded", "failed", 1),
        ("failed", "ok", 1),
        ("cancelled", "ok", 1),
    ] {
        let fake = Fake::new(over(state, outcome));
        let ended = run(fake.dir(), &["jobs", "follow", ID]).await;
        assert_eq!(ended.code, Some(code), "{state} {outcome}: {ended:?}");
        assert!(ended.out.contains(state), "{ended:?}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_taken_up_after_the_last_event_and_each_is_told_once() {
    let times = Arc::new(AtomicUsize::new(0));
    let tried = times.clone();
    let events = move |Query(query): Query<Vec<(String, u64)>>, _: HeaderMap| {
        let nth = tried.fetch_add(1, Ordering::SeqCst);
        async move {
            let (pieces, body) = pieces();
            let line =
                |seq: u64| event(seq, json!({ "event": "log", "text": format!("line {seq}") }));
            match nth {
                0 => {
                    assert_eq!(query, [("after".to_owned(), 0)]);
                    pieces.send(Ok((line(1) + &line(2)).into())).unwrap();
                    pieces.send(Err(BrokenOff)).unwrap();
                }
                1 => return refuse(Code::Draining, "going down", ""),
                // It ends in an orderly way, and the job does not.
                2 => {
                    assert_eq!(query, [("after".to_owned(), 2)]);
                    pieces.send(Ok(line(3).into())).unwrap();
                }
                _ => {
                    assert_eq!(query, [("after".to_owned(), 3)]);
                    let last = event(4, json!({ "event": "state", "state": "succeeded" }));
                    pieces.send(Ok((sse::KEEP_ALIVE.to_owned() + &last).into())).unwrap();
                }
            }
            ([(http::header::CONTENT_TYPE, sse::MEDIA_TYPE)], body).into_response()
        }
    };
    let states = times.clone();
    let state = move || {
        let state = if states.load(Ordering::SeqCst) > 3 { "succeeded" } else { "running" };
        async move { Json(job(state)) }
    };
    let router = Router::new()
        .route(&format!("/api/v1/jobs/{ID}/events"), get(events))
        .route(&format!("/api/v1/jobs/{ID}"), get(state))
        .route(&format!("/api/v1/jobs/{ID}/items"), get(|| async { Json(json!({ "items": [] })) }));
    let fake = Fake::new(router);
    let ended = run(fake.dir(), &["jobs", "follow", ID]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for n in 1..4 {
        assert_eq!(ended.err.matches(&format!("line {n}\n")).count(), 1, "{ended:?}");
    }
}

#[tokio::test]
async fn jobs_are_told_to_stop_hold_and_go_on() {
    for verb in ["cancel", "pause", "resume"] {
        let route = format!("/api/v1/jobs/{ID}/{verb}");
        let fake = Fake::new(Router::new().route(&route, post(|| async { Json(job("paused")) })));
        let ended = run(fake.dir(), &["jobs", verb, ID]).await;
        assert_eq!((ended.code, ended.out.contains("paused")), (Some(0), true), "{ended:?}");
    }
    let no = || async { refuse(Code::Conflict, "the job is over", "") };
    let fake = Fake::new(Router::new().route(&format!("/api/v1/jobs/{ID}/cancel"), post(no)));
    assert_eq!(run(fake.dir(), &["jobs", "cancel", ID]).await.code, Some(4));
}

fn bulk(state: &'static str) -> Router {
    let restart = |Json(body): Json<Value>| async move {
        if body["dry_run"] == true {
            let item = json!({ "smartbox": "box_00000000000000000001", "name": "one", "state": "stopped", "skip": "asleep" });
            return Json(json!({ "items": [item] })).into_response();
        }
        (http::StatusCode::ACCEPTED, Json(job("queued"))).into_response() as Response
    };
    over(state, "ok").route("/api/v1/bulk/restart", post(restart))
}

#[tokio::test]
async fn many_are_restarted_only_if_it_is_said_which() {
    let fake = Fake::new(bulk("succeeded"));
    let sent = |fake: &Fake| -> Value {
        serde_json::from_str(&fake.seen_like("POST").last().unwrap().body).unwrap()
    };
    for args in [&["bulk", "restart"][..], &["bulk", "restart", "pa", "--all"]] {
        assert_eq!(run(fake.dir(), args).await.code, Some(2), "{args:?}");
    }
    assert!(fake.seen().is_empty(), "nothing was asked for");
    let ended = run(fake.dir(), &["bulk", "restart", "--all", "--delay", "2s"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let usual = json!({ "delay_ms": 2000, "stop_on_failure": false, "dry_run": false });
    let mut all = usual.clone();
    all["all"] = true.into();
    assert_eq!(sent(&fake), all);
    let args = ["bulk", "restart", "--label", "team=web", "--state", "running", "--detach"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.out.trim(), ID);
    assert_eq!(sent(&fake)["selector"], json!({ "label": "team=web", "state": "running" }));
    let ended = run(fake.dir(), &["bulk", "restart", "one", "two", "--dry-run"]).await;
    assert!(ended.out.contains("no: asleep"), "{ended:?}");
    assert_eq!(sent(&fake)["boxes"], json!(["one", "two"]));
}

fn patches(good: bool) -> Router {
    let patch = move |Json(body): Json<Value>| async move {
        if body["dry_run"] == true {
            let errors = json!([{ "path": "a.c", "message": "no such key" }]);
            let item = json!({
                "smartbox": "box_00000000000000000001", "name": "one", "state": "stopped",
                "changes": ["a.b", "d", "e", "f", "g"],
                "errors": if good { json!([]) } else { errors },
            });
            return Json(json!({ "items": [item] })).into_response();
        }
        (http::StatusCode::ACCEPTED, Json(job("queued"))).into_response() as Response
    };
    over("succeeded", "ok").route("/api/v1/bulk/config", post(patch))
}

#[tokio::test]
async fn a_patch_comes_from_a_file_or_from_standard_input() {
    let fake = Fake::new(patches(true));
    let sent = |fake: &Fake| -> Value {
        serde_json::from_str(&fake.seen_like("POST").last().unwrap().body).unwrap()
    };
    let file = fake.dir().join("patch.json");
    std::fs::write(&file, r#"{"a": {"b": 1}}"#).unwrap();
    let file = file.to_str().unwrap();
    let mut args = vec!["bulk", "config-patch", "--all", "--file", file, "--delay", "2s"];
    args.extend(["--concurrency", "3"]);
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        sent(&fake),
        json!({
            "patch": { "a": { "b": 1 } }, "all": true, "delay_ms": 2000, "concurrency": 3,
            "stop_on_failure": false, "dry_run": false,
        })
    );
    let args = ["bulk", "config-patch", "--kind", "project", "--file", "-", "--detach"];
    let ended = run_with(fake.dir(), &args, br#"{"x": null}"#).await;
    assert_eq!((ended.code, ended.out.trim()), (Some(0), ID), "{ended:?}");
    assert_eq!(sent(&fake)["selector"], json!({ "kind": "project" }));
    assert_eq!(sent(&fake)["patch"], json!({ "x": null }));
}

#[tokio::test]
async fn a_patch_that_is_none_or_for_nobody_is_not_sent() {
    let fake = Fake::new(patches(true));
    for (args, input, code) in [
        (&["--file", "-"][..], "{}", 2),
        (&["--all"], "{}", 2),
        (&["pa", "--all", "--file", "-"], "{}", 2),
        (&["pa", "--file", "-"], "[1]", 2),
        (&["pa", "--file", "-"], "{\"a\": \"hunter2", 2),
        (&["pa", "--file", "/nowhere/at/all"], "", 1),
    ] {
        let args: Vec<_> =
            ["bulk", "config-patch"].into_iter().chain(args.iter().copied()).collect();
        let ended = run_with(fake.dir(), &args, input.as_bytes()).await;
        assert_eq!(ended.code, Some(code), "{args:?}: {ended:?}");
        assert!(!ended.err.contains("hunter2"), "{ended:?}");
    }
    assert!(fake.seen().is_empty(), "nothing was asked for");
}

#[tokio::test]
async fn a_dry_run_says_what_would_differ_and_ends_as_the_patch_would() {
    for (good, code, words) in
        [(true, 0, "change a.b, d, e and 2 more"), (false, 1, "no: a.c: no such key")]
    {
        let fake = Fake::new(patches(good));
        let args = ["bulk", "config-patch", "one", "--file", "-", "--dry-run"];
        let ended = run_with(fake.dir(), &args, b"{}").await;
        assert_eq!((ended.code, ended.out.contains(words)), (Some(code), true), "{ended:?}");
        let args = ["bulk", "config-patch", "one", "--file", "-", "--dry-run", "--json"];
        let ended = run_with(fake.dir(), &args, b"{}").await;
        let list: Value = serde_json::from_str(&ended.out).unwrap();
        assert_eq!((ended.code, &list[0]["changes"][1]), (Some(code), &json!("d")));
    }
}
