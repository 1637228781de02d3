//! Listings that go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::routing::get;
use axum::{Json, Router};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use crate::fake::{Fake, refuse, smartbox};
use crate::run::{LONG, run, signal, start};

/// A box that starts, starts, and runs from the third look on.
fn changing() -> (Router, Arc<AtomicUsize>) {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    let list = move || {
        let look = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let state = if look < 2 { "starting" } else { "running" };
            Json(json!({ "items": [smartbox("pa", state, "")] }))
        }
    };
    (Router::new().route("/api/v1/boxes", get(list)), looks)
}

#[tokio::test]
async fn each_change_is_a_line_of_json_until_ctrl_c() {
    let (router, looks) = changing();
    let fake = Fake::new(router);
    let mut child = start(fake.dir(), &["ls", "--watch", "--json"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for state in ["starting", "running"] {
        let line = timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap();
        let list: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(list[0]["state"], state, "{line}");
    }
    assert!(looks.load(Ordering::SeqCst) >= 3, "what did not change is not said again");
    signal(&child, Signal::INT);
    let ended = timeout(LONG, child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(130));
    assert!(fake.seen().iter().all(|seen| seen.line.starts_with("GET ")), "looking wakes nobody");
}

#[tokio::test]
async fn without_a_terminal_nothing_is_painted() {
    let (router, _) = changing();
    let fake = Fake::new(router);
    let mut child = start(fake.dir(), &["ls", "-w"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    while !text.contains("running") {
        let line = timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap();
        text.push_str(&line);
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[tokio::test]
async fn a_first_look_that_fails_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &["ls", "--watch"]).await.code, Some(6));
    let no = || async { refuse(smartbox_api::problem::Code::NotFound, "No.", "") };
    let fake = Fake::new(Router::new().fallback(no));
    assert_eq!(run(fake.dir(), &["status", "pa", "--watch"]).await.code, Some(3));
}
