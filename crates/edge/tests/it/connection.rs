//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::time::Duration;

use http::Response;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::Instant;

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

/// Sends a request on a connection that stays open, and reads its answer.
async fn visit(stream: &mut TcpStream) {
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\n\n") {
        assert!(soon(stream.read_buf(&mut seen)).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn for_one_more_connection_the_quietest_goes_and_the_busy_stay() {
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
    let front = Front::with(World::new(Some(slow)), |settings| {
        settings.limits.connections = 2;
    })
    .await;
    let mut busy = front.connect().await;
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}\r\n");
    busy.write_all(text.as_bytes()).await.unwrap();
    soon(reached.notified()).await;
    // A crowd that holds connections and says nothing, or only begins to say something.
    let mut crowd = Vec::new();
    for beginning in
        [&b""[..], b"GET / HTTP/1.1\r\nhost: pa.loc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        for _ in 0..5 {
            let mut stream = front.connect().await;
            stream.write_all(beginning).await.unwrap();
            crowd.push(stream);
        }
    }
    let mut good = front.connect().await;
    good.write_all(text.as_bytes()).await.unwrap();
    soon(reached.notified()).await;
    go.notify_waiters();
    for mut stream in [busy, good] {
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(Answer::parse(&answer).status, 200);
    }
}

#[tokio::test]
async fn who_begins_a_body_and_does_not_go_on_keeps_nobody_out() {
    let front = Front::with(World::new(Some(mirror().await)), |settings| {
        settings.limits.connections = 4;
    })
    .await;
    let beginning = format!(
        "POST /_smartbox/enter HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nx"
    );
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut stream = front.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        crowd.push(stream);
    }
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}\r\n");
    // Whoever comes while the others' beginnings are still being read may have to come again.
    soon(async {
        loop {
            let mut good = front.connect().await;
            let mut answer = Vec::new();
            if good.write_all(text.as_bytes()).await.is_ok()
                && good.read_to_end(&mut answer).await.is_ok_and(|length| length > 0)
            {
                assert_eq!(Answer::parse(&answer).status, 200);
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_address_holds_so_many_connections_and_a_proxy_of_ours_more() {
    let world = World::new(Some(mirror().await));
    let few = |settings: &mut smartbox_edge::EdgeSettings| settings.limits.per_client = 2;
    let front = Front::with(world.clone(), few).await;
    let mut held = vec![front.connect().await, front.connect().await];
    for stream in &mut held {
        visit(stream).await;
    }
    assert_eq!(front.ask("GET /x", "").await.status, 0, "dropped");
    held.clear();
    soon(async { while front.ask("GET /x", "").await.status != 200 {} }).await;

    let front = Front::with(world, |settings| {
        few(settings);
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = front.connect().await;
        visit(&mut stream).await;
        held.push(stream);
    }
}

/// As long as anybody may be quiet, in the two tests of those who take an answer.
const QUIET: Duration = Duration::from_millis(200);

fn impatient(settings: &mut smartbox_edge::EdgeSettings) {
    settings.limits.head_time = QUIET;
    settings.limits.drain = Duration::from_millis(50);
}

#[tokio::test]
async fn who_does_not_take_what_he_asked_for_loses_the_connection() {
    let large =
        engine(|_| async { Response::new(Full::<bytes::Bytes>::from(vec![b'x'; 32 << 20])) });
    let front = Front::with(World::new(Some(large.await)), impatient).await;
    let mut slow = front.connect().await;
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    slow.write_all(text.as_bytes()).await.unwrap();
    soon(async {
        while front.edge.connections() == 0 {
            tokio::task::yield_now().await;
        }
        while front.edge.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// In a time of its own: on a busy machine whoever takes it may seem not to, for a moment.
#[tokio::test(start_paused = true)]
async fn whoever_takes_it_gets_all_of_it_however_short_the_time_for_each_piece_is() {
    const PIECE: usize = 16 << 10;
    const PIECES: usize = 1000;
    let front = Front::with(World::new(None), impatient).await;
    let long = service_fn(|_| async {
        let piece = || Ok::<_, Infallible>(Frame::data(bytes::Bytes::from(vec![b'x'; PIECE])));
        let pieces = futures_util::stream::iter(std::iter::repeat_with(piece).take(PIECES));
        Ok::<_, Infallible>(Response::new(StreamBody::new(pieces)))
    });
    let (mut client, served) = tokio::io::duplex(PIECE);
    let edge = front.edge.clone();
    tokio::spawn(async move { edge.serve_connection(served, front.addr, long).await });
    client.write_all(b"GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let (begun, mut taken) = (Instant::now(), 0);
    let mut piece = vec![0; PIECE];
    while let n @ 1.. = client.read(&mut piece).await.unwrap() {
        taken += n;
        tokio::time::sleep(QUIET / 20).await;
    }
    assert!(taken > PIECE * PIECES, "{taken} bytes");
    assert!(begun.elapsed() > QUIET * 10);
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
