//! Connections: how many, how long, and how they end.

use std::time::Duration;

use http::Response;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::support::{Answer, COOKIE, Front, HOST, World, engine, mirror, soon};

#[tokio::test]
async fn a_drain_lets_what_has_begun_finish_and_nothing_else_begin() {
    let (reached, go) = (std::sync::Arc::new(Notify::new()), std::sync::Arc::new(Notify::new()));
    let (at, on) = (reached.clone(), go.clone());
    let slow = engine(move |_| {
        let (at, on) = (at.clone(), on.clone());
        async move {
            at.notify_one();
            on.notified().await;
            Response::new(Full::<bytes::Bytes>::from("done"))
        }
    })
    .await;
    let front = Front::new(World::new(Some(slow))).await;
    let mut idle = front.connect().await;
    let mut busy = front.connect().await;
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    busy.write_all(text.as_bytes()).await.unwrap();
    soon(reached.notified()).await;
    front.drain.cancel();
    let mut nothing = Vec::new();
    soon(idle.read_to_end(&mut nothing)).await.unwrap();
    assert!(nothing.is_empty());
    go.notify_one();
    let mut answer = Vec::new();
    soon(busy.read_to_end(&mut answer)).await.unwrap();
    let answer = Answer::parse(&answer);
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    soon(front.edge.drained()).await;
}

#[tokio::test]
async fn a_drain_has_an_end_even_if_an_engine_has_none() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new(Some(silent.local_addr().unwrap()));
    let front =
        Front::with(world, |settings| settings.limits.drain = Duration::from_millis(50)).await;
    let mut busy = front.connect().await;
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    busy.write_all(text.as_bytes()).await.unwrap();
    let _reached = soon(silent.accept()).await.unwrap();
    front.drain.cancel();
    soon(front.edge.drained()).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_dropped_and_room_comes_back() {
    let world = World::new(Some(mirror().await));
    let front = Front::with(world, |settings| settings.limits.connections = 2).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = front.connect().await;
        let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\n\n") {
            soon(stream.read_buf(&mut seen)).await.unwrap();
        }
        held.push(stream);
    }
    assert_eq!(front.ask("GET /x", "").await.status, 0);
    held.clear();
    soon(async { while front.ask("GET /x", "").await.status != 200 {} }).await;
}

#[tokio::test]
async fn an_idle_connection_ends_and_a_streaming_one_does_not() {
    let slow = engine(|request: http::Request<hyper::body::Incoming>| async move {
        Response::new(request.into_body())
    })
    .await;
    let front = Front::with(World::new(Some(slow)), |settings| {
        settings.limits.head_time = Duration::from_millis(60);
    })
    .await;
    let mut streaming = front.connect().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}origin: http://pa.localhost\r\n\
         transfer-encoding: chunked\r\n\r\n3\r\none\r\n"
    );
    streaming.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"one\r\n") {
        soon(streaming.read_buf(&mut seen)).await.unwrap();
    }
    let mut idle = front.connect().await;
    let mut nothing = Vec::new();
    let _ = soon(idle.read_to_end(&mut nothing)).await;
    // The idle one came later and is gone; the streaming one goes on.
    streaming.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await.unwrap();
    while !seen.ends_with(b"0\r\n\r\n") {
        assert!(soon(streaming.read_buf(&mut seen)).await.unwrap() > 0);
    }
    assert!(String::from_utf8_lossy(&seen).contains("two"));
}

#[tokio::test]
async fn an_http_2_connection_without_requests_ends_too() {
    let world = World::new(Some(mirror().await));
    let front =
        Front::with(world, |settings| settings.limits.head_time = Duration::from_millis(60)).await;
    let stream = front.connect().await;
    let (_sender, connection) = hyper::client::conn::http2::handshake::<_, _, Full<bytes::Bytes>>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .unwrap();
    let _ = soon(connection).await;
}
