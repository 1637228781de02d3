//! Whoever is shut out has nothing under way any more: no upload, no wait for an answer, no socket that opens.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use smartbox_core::smartbox::State;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Answer, COOKIE, Front, HOST, World, engine, soon};

/// An engine that reads all before it answers, and what it hears: pieces, and at last whether all came.
async fn reader() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<Result<Bytes, bool>>) {
    let (say, heard) = mpsc::unbounded_channel();
    let at = engine(move |request: Request<Incoming>| {
        let say = say.clone();
        async move {
            let mut body = request.into_body();
            let whole = loop {
                match body.frame().await {
                    Some(Ok(frame)) => drop(say.send(Ok(frame.into_data().unwrap_or_default()))),
                    Some(Err(_)) => break false,
                    None => break true,
                }
            };
            let _ = say.send(Err(whole));
            Response::new(Full::new(Bytes::from_static(b"done")))
        }
    });
    (at.await, heard)
}

async fn begins(front: &Front, line: &str, more: &str) -> TcpStream {
    let mut stream = front.connect().await;
    let head =
        format!("{line} HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}origin: http://{HOST}\r\n{more}");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

const UPLOAD: &str = "transfer-encoding: chunked\r\n\r\n3\r\none\r\n";

/// Everything until the connection's end, which comes though the client does not go.
async fn ending(mut stream: TcpStream) -> Answer {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    Answer::parse(&rest)
}

/// The status of an answer after which the connection may stay.
async fn answered(mut stream: TcpStream) -> u16 {
    let mut seen = Vec::new();
    while !seen.ends_with(b"}") {
        assert!(soon(stream.read_buf(&mut seen)).await.unwrap() > 0);
    }
    Answer::parse(&seen).status
}

fn shut_out(front: &Front) {
    *front.world.session.lock().unwrap() = None;
    front.edge.sessions_changed();
}

#[tokio::test]
async fn an_upload_under_way_is_broken_off_when_its_asker_may_no_more() {
    let (at, mut heard) = reader().await;
    let front = Front::new(World::new(Some(at))).await;
    let mut stream = begins(&front, "POST /upload", UPLOAD).await;
    assert_eq!(soon(heard.recv()).await, Some(Ok(Bytes::from_static(b"one"))));
    // Somebody else's session ended: this one goes on.
    front.edge.sessions_changed();
    stream.write_all(b"3\r\ntwo\r\n").await.unwrap();
    assert_eq!(soon(heard.recv()).await, Some(Ok(Bytes::from_static(b"two"))));
    shut_out(&front);
    assert_eq!(soon(heard.recv()).await, Some(Err(false)), "the engine hears that it broke off");
    let answer = ending(stream).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.body.contains("shut-out"), "{answer:?}");
}

#[tokio::test]
async fn an_upload_that_was_answered_before_its_end_is_broken_off_too() {
    let (say, mut heard) = mpsc::unbounded_channel();
    let early = engine(move |request: Request<Incoming>| {
        let say = say.clone();
        async move {
            let mut body = request.into_body();
            let (more, rest) = mpsc::unbounded_channel::<Result<Frame<Bytes>, Infallible>>();
            more.send(Ok(Frame::data(Bytes::from_static(b"so")))).unwrap();
            tokio::spawn(async move {
                while let Some(Ok(frame)) = body.frame().await {
                    let _ = say.send(frame.into_data().ok());
                }
                let _ = say.send(None);
                drop(more);
            });
            // Short, and of a known length, most of which comes after the upload.
            let rest = futures_util::stream::unfold(rest, |mut rest| async move {
                rest.recv().await.map(|frame| (frame, rest))
            });
            Response::builder().header("content-length", 100).body(StreamBody::new(rest)).unwrap()
        }
    });
    let front = Front::new(World::new(Some(early.await))).await;
    let mut stream = begins(&front, "POST /upload", UPLOAD).await;
    let mut seen = Vec::new();
    while !seen.ends_with(b"so") {
        assert!(soon(stream.read_buf(&mut seen)).await.unwrap() > 0);
    }
    stream.write_all(b"3\r\ntwo\r\n").await.unwrap();
    while soon(heard.recv()).await.unwrap().unwrap() != "two" {}
    shut_out(&front);
    assert_eq!(soon(heard.recv()).await, Some(None), "nothing more reaches the engine");
    ending(stream).await;
}

#[tokio::test]
async fn whoever_waits_for_an_answer_waits_no_longer_than_they_may() {
    let asked = Arc::<tokio::sync::Notify>::default();
    let told = asked.clone();
    let silent = engine(move |_: Request<Incoming>| {
        told.notify_one();
        std::future::pending::<Response<Full<Bytes>>>()
    });
    let front = Front::new(World::new(Some(silent.await))).await;
    let stream = begins(&front, "GET /slow", "\r\n").await;
    soon(asked.notified()).await;
    shut_out(&front);
    assert_eq!(answered(stream).await, 401);
}

#[tokio::test]
async fn whoever_is_shut_out_while_the_box_wakes_reaches_no_engine() {
    for more in ["\r\n", SOCKET] {
        let (at, _heard) = reader().await;
        let world = World::new(Some(at));
        world.set(State::Starting);
        *world.wakes_up.lock().unwrap() = false;
        let front = Front::new(world).await;
        let stream = begins(&front, "GET /api", more).await;
        soon(async {
            while World::count(&front.world.wakes) == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        shut_out(&front);
        assert_eq!(answered(stream).await, 401);
        assert_eq!(World::count(&front.world.dials), 0);
    }
}

const SOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                      sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

#[tokio::test]
async fn what_streams_ends_with_the_time_of_its_session_too() {
    let endless =
        engine(|request: Request<Incoming>| async move { Response::new(request.into_body()) });
    let front = Front::with(World::new(Some(endless.await)), |settings| {
        settings.limits.recheck = Duration::from_millis(20);
    })
    .await;
    let mut stream = begins(&front, "POST /echo", UPLOAD).await;
    let mut seen = Vec::new();
    while !seen.ends_with(b"one\r\n") {
        assert!(soon(stream.read_buf(&mut seen)).await.unwrap() > 0);
    }
    // Nobody ends it: it is over.
    *front.world.session.lock().unwrap() = None;
    let answer = ending(stream).await;
    assert!(!answer.body.ends_with("0\r\n\r\n"), "not as if it were whole");
}
