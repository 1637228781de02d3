//! Commands that go on without anybody.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::{run, run_with};

const ID: &str = "job_00000000000000000001";

fn view(more: &Value) -> Value {
    let mut view = json!({ "id": ID, "smartbox": "box_00000000000000000001", "state": "running",
        "argv": ["make", "all\u{1b}[2J"], "timeout_ms": 1000, "created": 1_800_000_000_000_i64 });
    view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    view
}

fn ended(code: i32) -> Value {
    view(&json!({ "state": "ended",
        "exit": { "code": code, "oom": false, "timed_out": false, "took_ms": 5 },
        "stdout": { "text": "out\n", "truncated": true },
        "stderr": { "text": "err\n", "truncated": false } }))
}

#[tokio::test]
async fn one_that_is_detached_prints_its_id_and_nothing_else() {
    let handler = post(|Json(new): Json<Value>| async move {
        assert_eq!(new["argv"], json!(["cat"]));
        assert_eq!(new["stdin"], json!("typed"));
        assert_eq!(new["timeout_ms"], json!(86_400_000));
        Json(view(&json!({ "state": "waiting" })))
    });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/execs", handler));
    let said = run_with(fake.dir(), &["exec", "-d", "-i", "pa", "--", "cat"], b"typed").await;
    assert_eq!((said.code, said.out.trim()), (Some(0), ID), "{}", said.err);
    assert!(said.err.contains(&format!("smartbox execs show --wait pa {ID}")));
    let bytes = run_with(fake.dir(), &["exec", "-d", "-i", "pa", "--", "cat"], b"\xff").await;
    assert_eq!(bytes.code, Some(2));
    assert_eq!(run(fake.dir(), &["exec", "-d", "-t", "pa", "--", "cat"]).await.code, Some(2));
}

#[tokio::test]
async fn what_it_wrote_and_how_it_ended_comes_back() {
    let one = get(|| async { Json(ended(7)) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/execs/{id}", one));
    let said = run(fake.dir(), &["execs", "show", "pa", ID]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(7), "out\n"));
    assert!(said.err.starts_with("err\n") && said.err.contains("standard output is truncated"));
    let json = run(fake.dir(), &["execs", "show", "--json", "pa", ID]).await;
    assert_eq!((json.code, json.err.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap()["exit"]["code"], 7);
}

#[tokio::test]
async fn one_that_runs_or_was_interrupted_is_not_taken_for_one_that_ended() {
    for (more, code, words) in [
        (json!({}), 9, "still running"),
        (json!({ "state": "cancelled" }), 125, "cancelled"),
        (
            json!({ "state": "interrupted",
                "failure": { "code": "interrupted", "detail": "it was cut off", "hint": "" } }),
            125,
            "it was cut off",
        ),
    ] {
        let one = get(move || async move { Json(view(&more)) });
        let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/execs/{id}", one));
        let said = run(fake.dir(), &["execs", "show", "pa", ID]).await;
        assert_eq!(said.code, Some(code), "{said:?}");
        assert!(said.err.contains(words), "{said:?}");
    }
}

#[tokio::test]
async fn they_are_listed_without_what_could_drive_the_terminal() {
    let list = get(|| async { Json(json!({ "items": [ended(0), view(&json!({}))] })) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/execs", list));
    let said = run(fake.dir(), &["execs", "ls", "pa"]).await;
    assert!(said.out.contains("exit 0") && said.out.contains("running"), "{}", said.out);
    assert!(!said.out.contains('\u{1b}'), "{:?}", said.out);
    let json = run(fake.dir(), &["execs", "ls", "--json", "pa"]).await;
    assert_eq!(serde_json::from_str::<Value>(&json.out).unwrap().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_is_cancelled() {
    let one = axum::routing::delete(|| async { Json(view(&json!({ "state": "cancelled" }))) });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/execs/{id}", one));
    let said = run(fake.dir(), &["execs", "cancel", "pa", ID]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), "cancelled\n"));
}
