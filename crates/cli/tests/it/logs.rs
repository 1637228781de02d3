//! The engine's log.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use smartbox_api::log::NEXT_HEADER;
use tokio::io::AsyncReadExt;

use crate::fake::{BrokenOff, Fake, pieces, whole};
use crate::run::{LONG, end, run, signal, start};

#[tokio::test]
async fn the_last_lines_are_printed() {
    let log = get(|| async { ([(NEXT_HEADER, "14")], "one\ntwo\nthree\n") });
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/log", log));
    let ended = run(fake.dir(), &["logs", "pa", "--tail", "2"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "two\nthree\n"));
    assert_eq!(fake.seen()[0].line, "GET /api/v1/boxes/pa/log?tail=1048576");
}

#[tokio::test]
async fn following_goes_on_where_it_was_after_a_break() {
    let times = Arc::new(AtomicUsize::new(0));
    let log = move |query: Query<HashMap<String, String>>| {
        let times = times.clone();
        async move {
            if !query.0.contains_key("follow") {
                return ([(NEXT_HEADER, "100")], "old\n").into_response();
            }
            follow(&times)
        }
    };
    let fake = Fake::new(Router::new().route("/api/v1/boxes/pa/log", get(log)));
    let mut child = start(fake.dir(), &["logs", "-f", "pa"]);
    let mut shown = vec![0; "old\nnew\nnewer\n".len()];
    let out = child.stdout.as_mut().unwrap();
    tokio::time::timeout(LONG, out.read_exact(&mut shown)).await.unwrap().unwrap();
    assert_eq!(shown, b"old\nnew\nnewer\n");
    signal(&child, rustix::process::Signal::INT);
    assert_eq!(end(child).await.code, Some(130));
    let lines: Vec<String> = fake.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines[1], "GET /api/v1/boxes/pa/log?from=100&follow=true");
    assert_eq!(lines[2], "GET /api/v1/boxes/pa/log?from=104&follow=true");
}

fn follow(times: &AtomicUsize) -> Response {
    match times.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let (pieces, body) = pieces();
            pieces.send(Ok("new\n".into())).unwrap();
            pieces.send(Err(BrokenOff)).unwrap();
            body.into_response()
        }
        1 => whole("newer\n").into_response(),
        // Nothing more; the connection stays open.
        _ => {
            let (pieces, body) = pieces();
            std::mem::forget(pieces);
            body.into_response()
        }
    }
}
