//! Talking: streamed, interrupted, broken, and still each message once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use smartbox_api::message::TurnEvent;
use smartbox_api::sse;
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;

use crate::fake::{BrokenOff, Fake, Pieces, pieces, smartbox, whole};
use crate::run::{LONG, end, run, run_with, signal, start};

fn message(id: &str, state: &str, reply: Option<&str>) -> Value {
    json!({
        "id": id, "smartbox": "box_00000000000000000001", "session": "main", "channel": "cli",
        "text": "hello", "state": state, "reply": reply, "attempts": 1, "created": 1,
        "error": (state == "failed").then_some("the model said no"),
    })
}

fn events(events: &[TurnEvent]) -> Bytes {
    Bytes::from(events.iter().map(sse::encode).collect::<String>())
}

fn stream(body: axum::body::Body) -> Response {
    ([(http::header::CONTENT_TYPE, sse::MEDIA_TYPE)], body).into_response()
}

/// Routes for one message: how it is accepted, how its events go, and how it ended.
fn routes<F, G>(accept: F, follow: G, state: &'static str, reply: Option<&'static str>) -> Router
where
    F: Fn(&Value) -> Response + Clone + Send + Sync + 'static,
    G: Fn() -> Response + Clone + Send + Sync + 'static,
{
    let last = move |path: axum::extract::Path<String>| async move {
        Json(message(&path.0, state, reply))
    };
    Router::new()
        .route(
            "/api/v1/boxes/pa/messages",
            post(move |body: Json<Value>| async move { accept(&body.0) }),
        )
        .route("/api/v1/messages/{id}/events", get(move || async move { follow() }))
        .route("/api/v1/messages/{id}", get(last))
        .route("/api/v1/boxes/pa", get(|| async { Json(smartbox("pa", "running", "")) }))
}

fn accepted(body: &Value) -> Response {
    let id = body["id"].as_str().unwrap().to_owned();
    (http::StatusCode::ACCEPTED, Json(message(&id, "queued", None))).into_response()
}

#[tokio::test]
async fn an_answer_is_shown_as_it_comes() {
    let writer: Arc<Mutex<Option<Pieces>>> = Arc::default();
    let (begun, store) = (Arc::new(Notify::new()), writer.clone());
    let tell = begun.clone();
    let follow = move || {
        let (pieces, body) = pieces();
        *store.lock().unwrap() = Some(pieces);
        tell.notify_one();
        stream(body)
    };
    let fake = Fake::new(routes(accepted, follow, "answered", Some("Hello, person.")));
    let mut child = start(fake.dir(), &["chat", "pa", "hello"]);
    begun.notified().await;
    let pieces = writer.lock().unwrap().take().unwrap();
    let first =
        [TurnEvent::Started, TurnEvent::Doing("thinking".into()), TurnEvent::Delta("Hello".into())];
    pieces.send(Ok(events(&first))).unwrap();
    let mut shown = [0; 5];
    let out = child.stdout.as_mut().unwrap();
    tokio::time::timeout(LONG, out.read_exact(&mut shown)).await.unwrap().unwrap();
    assert_eq!(&shown, b"Hello", "before the rest was even said");
    let rest = [TurnEvent::Delta(", person.".into()), TurnEvent::Answered("Hello, person.".into())];
    pieces.send(Ok(events(&rest))).unwrap();
    drop(pieces);
    let ended = end(child).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ", person.\n"), "{ended:?}");
    let sent: Value = serde_json::from_str(&fake.seen_like("POST")[0].body).unwrap();
    assert_eq!(
        (&sent["text"], &sent["session"], &sent["channel"]),
        (&json!("hello"), &json!("main"), &json!("cli"))
    );
    assert!(sent["id"].as_str().unwrap().starts_with("msg_"));
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_costs_nothing_and_repeats_nothing() {
    let times = Arc::new(AtomicUsize::new(0));
    let count = times.clone();
    let follow = move || match count.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let (pieces, body) = pieces();
            pieces.send(Ok(events(&[TurnEvent::Delta("Hello".into())]))).unwrap();
            pieces.send(Err(BrokenOff)).unwrap();
            stream(body)
        }
        // Events "from now on": a part went by while nobody listened.
        _ => stream(whole(events(&[
            TurnEvent::Delta(" the end".into()),
            TurnEvent::Answered("Hello, this is the end".into()),
        ]))),
    };
    let fake = Fake::new(routes(accepted, follow, "answered", Some("Hello, this is the end")));
    let ended = run(fake.dir(), &["chat", "pa", "hello"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "Hello, this is the end\n"));
    assert_eq!(
        fake.seen_like("POST").len(),
        1,
        "the message was accepted, so it is not sent again"
    );
    assert!(times.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn a_message_whose_acceptance_was_not_heard_is_sent_again_under_its_id() {
    let times = Arc::new(AtomicUsize::new(0));
    let accept = move |body: &Value| {
        if times.fetch_add(1, Ordering::SeqCst) == 0 {
            let (pieces, body) = pieces();
            pieces.send(Err(BrokenOff)).unwrap();
            return body.into_response();
        }
        accepted(body)
    };
    let follow = || stream(whole(events(&[TurnEvent::Answered("once".into())])));
    let fake = Fake::new(routes(accept, follow, "answered", Some("once")));
    let ended = run(fake.dir(), &["chat", "pa", "hello"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "once\n"), "{ended:?}");
    let ids: Vec<Value> = fake
        .seen_like("POST")
        .iter()
        .map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "the same message, not another one");
}

#[tokio::test]
async fn ctrl_c_leaves_the_message_and_says_how_to_find_the_answer() {
    let begun = Arc::new(Notify::new());
    let tell = begun.clone();
    let held: Arc<Mutex<Vec<Pieces>>> = Arc::default();
    let follow = move || {
        let (pieces, body) = pieces();
        held.lock().unwrap().push(pieces);
        tell.notify_one();
        stream(body)
    };
    let fake = Fake::new(routes(accepted, follow, "answered", Some("late")));
    let child = start(fake.dir(), &["chat", "pa", "hello"]);
    begun.notified().await;
    signal(&child, rustix::process::Signal::INT);
    let ended = end(child).await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let sent: Value = serde_json::from_str(&fake.seen_like("POST")[0].body).unwrap();
    let command = format!("smartbox chat pa --message {}", sent["id"].as_str().unwrap());
    assert!(ended.err.contains(&command), "{ended:?}");
    // And the command that it names shows it.
    let follow = || stream(whole(events(&[TurnEvent::Answered("late".into())])));
    let later = Fake::new(routes(accepted, follow, "answered", Some("late")));
    let again = ["chat", "pa", "--message", sent["id"].as_str().unwrap()];
    let ended = run(later.dir(), &again).await;
    assert_eq!((ended.out.as_str(), later.seen_like("POST").len()), ("late\n", 0));
}

#[tokio::test]
async fn a_draft_that_begins_anew_ends_as_the_whole_answer() {
    let follow = || {
        stream(whole(events(&[
            TurnEvent::Delta("Let me look".into()),
            TurnEvent::Replace("It is ".into()),
            TurnEvent::Delta("noon.".into()),
            TurnEvent::Answered("It is noon.".into()),
        ])))
    };
    let fake = Fake::new(routes(accepted, follow, "answered", Some("It is noon.")));
    let ended = run(fake.dir(), &["chat", "pa", "time?"]).await;
    assert_eq!(ended.out, "Let me look\nIt is noon.\n");
}

#[tokio::test]
async fn a_failed_message_is_a_failed_command() {
    let follow = || stream(whole(events(&[TurnEvent::Failed("the model said no".into())])));
    let fake = Fake::new(routes(accepted, follow, "failed", None));
    let ended = run(fake.dir(), &["chat", "pa", "hello"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(8), ""));
    assert!(ended.err.contains("error: no answer: the model said no"), "{ended:?}");
}

#[tokio::test]
async fn as_json_a_message_is_one_object_with_its_answer() {
    let follow = || stream(whole(events(&[TurnEvent::Answered("yes".into())])));
    let fake = Fake::new(routes(accepted, follow, "answered", Some("yes")));
    let ended =
        run_with(fake.dir(), &["chat", "pa", "-", "--json", "--session", "s"], b"hello").await;
    let view: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&view["state"], &view["reply"]), (&json!("answered"), &json!("yes")));
    assert!(fake.seen_like("POST")[0].body.contains("\"session\":\"s\""));
}

#[tokio::test]
async fn a_dialogue_is_a_line_and_its_answer_and_the_next() {
    let follow = || stream(whole(events(&[TurnEvent::Answered("yes".into())])));
    let fake = Fake::new(routes(accepted, follow, "answered", Some("yes")));
    let ended = run_with(fake.dir(), &["chat", "pa"], b"one\n\n  \ntwo\n").await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "yes\nyes\n"), "{ended:?}");
    let texts: Vec<Value> = fake
        .seen_like("POST")
        .iter()
        .map(|seen| serde_json::from_str::<Value>(&seen.body).unwrap()["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two"], "an empty line is no message");
}

#[tokio::test]
async fn nothing_and_too_much_are_not_sent() {
    let fake = Fake::new(Router::new());
    assert_eq!(run(fake.dir(), &["chat", "pa", "  "]).await.code, Some(2));
    let long = vec![b'x'; (256 << 10) + 1];
    let ended = run_with(fake.dir(), &["chat", "pa", "-"], &long).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(run(fake.dir(), &["chat", "pa", "--message", "msg_../x"]).await.code, Some(2));
    assert!(fake.seen().is_empty());
}
