//! The lines of a smartbox's logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::io::AsyncReadExt;

use crate::fake::{BrokenOff, Fake, pieces, whole};
use crate::run::{LONG, end, run, signal, start};

const FIRST: &str =
    r#"{"time":1800000000000,"source":"engine","text":"one \u001b[31mred","cursor":"4.1"}"#;
const SECOND: &str = r#"{"time":1800000000001,"source":"platform","level":"error","text":"failed: crash: it","cursor":"4.2"}"#;

fn there() -> String {
    format!("{FIRST}\n\n{SECOND}\n")
}

fn shown(line: u32) -> &'static str {
    match line {
        1 => "2027-01-15T08:00:00.000Z engine   one \u{fffd}[31mred\n",
        _ => "2027-01-15T08:00:00.001Z platform error: failed: crash: it\n",
    }
}

#[tokio::test]
async fn lines_are_printed_with_time_and_source_and_cannot_drive_the_terminal() {
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/logs", get(|| async { there() })));
    let ended = run(fake.dir(), &["logs", "pa"]).await;
    assert_eq!((ended.code, ended.out), (Some(0), format!("{}{}", shown(1), shown(2))));
    let args = ["logs", "pa", "-n", "2", "--since", "10m", "--source", "engine", "--json"];
    let ended = run(fake.dir(), &args).await;
    assert_eq!((ended.code, ended.out), (Some(0), format!("{FIRST}\n{SECOND}\n")));
    let lines: Vec<String> = fake.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines[0], "GET /api/v1/boxes/pa/logs");
    assert_eq!(lines[1], "GET /api/v1/boxes/pa/logs?source=engine&since=10m&tail=2");
    assert_eq!(fake.seen()[0].headers["accept"], "application/x-ndjson");
}

#[tokio::test]
async fn what_is_no_line_is_said_to_be_garbled() {
    let log = get(|| async { format!("{FIRST}\n<html>\n") });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/logs", log));
    let ended = run(fake.dir(), &["logs", "pa"]).await;
    assert_eq!(ended.out, shown(1));
    assert_ne!(ended.code, Some(0));
}

#[tokio::test]
async fn following_goes_on_where_it_was_after_a_break() {
    let times = Arc::new(AtomicUsize::new(0));
    let log = get(move || {
        let times = times.clone();
        async move { follow(&times) }
    });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/logs", log));
    let mut child = start(fake.dir(), &["logs", "-f", "-n", "5", "pa"]);
    let expected = format!("{}{}", shown(1), shown(2));
    let mut printed = vec![0; expected.len()];
    let out = child.stdout.as_mut().unwrap();
    tokio::time::timeout(LONG, out.read_exact(&mut printed)).await.unwrap().unwrap();
    assert_eq!(String::from_utf8(printed).unwrap(), expected);
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(end(child).await.code, Some(130));
    let lines: Vec<String> = fake.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines[0], "GET /api/v1/boxes/pa/logs?tail=5&follow=true");
    assert_eq!(lines[1], "GET /api/v1/boxes/pa/logs?after=4%2E1&follow=true");
}

fn follow(times: &AtomicUsize) -> Response {
    match times.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let (pieces, body) = pieces();
            // The second line breaks off: it is not printed, and comes again.
            pieces.send(Ok(format!("{FIRST}\n{}", &SECOND[..20]).into())).unwrap();
            pieces.send(Err(BrokenOff)).unwrap();
            body.into_response()
        }
        1 => whole(format!("{SECOND}\n")).into_response(),
        // Nothing more; the connection stays open.
        _ => {
            let (pieces, body) = pieces();
            std::mem::forget(pieces);
            body.into_response()
        }
    }
}
