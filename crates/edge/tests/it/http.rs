//! What passes, and how it looks on the other side.

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use crate::support::{Answer, COOKIE, Front, HOST, World, engine, mirror, soon};

#[tokio::test]
async fn a_request_passes_with_our_identity_and_without_the_visitors() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let answer = front
        .ask(
            "GET /a%2F..//b?x=%00&y",
            "x-smartbox-user: root\r\nx-forwarded-for: 127.0.0.1\r\nx-openclaw-scopes: all\r\n\
             cookie: theirs=1\r\n",
        )
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.starts_with("GET /a%2F..//b?x=%00&y\n"), "{answer:?}");
    for line in [
        "x-smartbox-user: ann",
        "x-forwarded-for: 192.0.2.1",
        "x-forwarded-proto: http",
        "x-forwarded-host: pa.localhost",
        "host: pa.localhost",
        "cookie: theirs=1",
    ] {
        assert!(answer.body.lines().any(|l| l == line), "{line} in {}", answer.body);
    }
    assert!(!answer.body.contains("smartbox_session") && !answer.body.contains("openclaw"));
    assert_eq!(answer.header("set-cookie"), Some("engine=1; Path=/"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
}

#[tokio::test]
async fn the_platforms_paths_are_the_engines_on_a_boxes_host() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let answer = front.ask("GET /api/v1/boxes", "").await;
    assert!(answer.body.starts_with("GET /api/v1/boxes\n"), "{answer:?}");
    let other =
        front.raw("GET /api HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert_eq!(other.body, "platform /api true");
}

#[tokio::test]
async fn nobody_passes_without_a_session() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    for cookie in
        ["", "cookie: smartbox_session=bad\r\n", "cookie: __Host-smartbox_session=good\r\n"]
    {
        for host in [HOST, "unknown.localhost"] {
            let head = format!("HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{cookie}");
            let page = front.raw(format!("GET / {head}accept: text/html\r\n\r\n")).await;
            assert_eq!(page.status, 303);
            let label = host.split('.').next().unwrap();
            let to = format!("http://platform.test/open/{label}");
            assert_eq!(page.header("location"), Some(to.as_str()));
            let call = front.raw(format!("GET /v1/models {head}\r\n")).await;
            assert_eq!(call.status, 401);
            assert_eq!(call.header("content-type"), Some("application/problem+json"));
        }
    }
    assert_eq!(World::count(&front.world.dials), 0);
}

#[tokio::test]
async fn a_cookie_tossed_by_a_sibling_does_not_shut_the_owner_out() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let text = format!(
        "GET / HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\
         cookie: smartbox_session=evil; smartbox_session=good\r\n\r\n"
    );
    assert_eq!(front.raw(text).await.status, 200);
}

#[tokio::test]
async fn changes_come_from_the_boxes_own_page_only() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    for (headers, status) in [
        ("origin: http://pa.localhost\r\n", 200),
        ("origin: http://evil.localhost\r\n", 403),
        ("origin: null\r\n", 403),
        ("", 403),
        ("sec-fetch-site: same-origin\r\n", 200),
    ] {
        for method in ["POST", "DELETE", "PATCH", "OPTIONS"] {
            let answer = front.ask(&format!("{method} /x"), headers).await;
            assert_eq!(answer.status, status, "{method} {headers}");
        }
    }
    let answer = front.ask("POST /x", "origin: http://pa.localhost\r\n").await;
    assert!(answer.body.contains("origin: http://127.0.0.1:18789\n"), "{answer:?}");
    let embedded = "sec-fetch-site: same-site\r\nsec-fetch-dest: script\r\n";
    assert_eq!(front.ask("GET /x", embedded).await.status, 403);
}

#[tokio::test]
async fn a_body_streams_both_ways_while_both_ends_still_speak() {
    // Answers each piece as it comes, before the request has ended.
    let echo =
        engine(|request: Request<Incoming>| async move { Response::new(request.into_body()) })
            .await;
    let front = Front::new(World::new(Some(echo))).await;
    let mut stream = front.connect().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}origin: http://pa.localhost\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = String::new();
    for piece in ["one", "two", "three"] {
        let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
        stream.write_all(chunk.as_bytes()).await.unwrap();
        let mut buffer = [0; 1024];
        while !seen.contains(piece) {
            let n = soon(stream.read(&mut buffer)).await.unwrap();
            assert!(n > 0, "{seen}");
            seen.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        }
    }
    assert!(World::count(&front.world.busy) == 1);
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut buffer = [0; 64];
    while !seen.ends_with("0\r\n\r\n") {
        let n = soon(stream.read(&mut buffer)).await.unwrap();
        seen.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
}

/// Says so when the engine's stream is dropped.
struct Gone(mpsc::UnboundedSender<()>);
impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn events_arrive_one_by_one_and_a_client_that_leaves_ends_the_stream() {
    let (gone, mut left) = mpsc::unbounded_channel();
    let events = engine(move |_| {
        let gone = Gone(gone.clone());
        async move {
            let stream = stream::unfold((0, gone), |(n, gone)| async move {
                tokio::task::yield_now().await;
                let frame = Frame::data(Bytes::from(format!("data: {n}\n\n")));
                Some((Ok::<_, std::io::Error>(frame), (n + 1, gone)))
            });
            Response::new(StreamBody::new(stream).boxed_unsync())
        }
    })
    .await;
    let front = Front::new(World::new(Some(events))).await;
    let mut stream = front.connect().await;
    let head = format!("GET /events HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut seen, mut buffer) = (String::new(), [0; 1024]);
    while !seen.contains("data: 3") {
        let n = soon(stream.read(&mut buffer)).await.unwrap();
        seen.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    drop(stream);
    assert_eq!(soon(left.recv()).await, Some(()));
    assert_eq!(World::count(&front.world.busy), 0);
}

#[tokio::test]
async fn connections_to_the_engine_are_used_again() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let mut stream = front.connect().await;
    let text = format!("GET /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n");
    for _ in 0..20 {
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"\n\n") {
            soon(stream.read_buf(&mut seen)).await.unwrap();
        }
        assert_eq!(Answer::parse(&seen).status, 200);
    }
    assert_eq!(World::count(&front.world.dials), 1);
    assert_eq!(World::count(&front.world.busy), 0);
}

#[tokio::test]
async fn an_engine_that_closed_an_idle_connection_is_dialled_again() {
    // Answers one request per connection, and closes without saying so.
    let once = crate::support::liar(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false).await;
    let front = Front::new(World::new(Some(once))).await;
    for _ in 0..5 {
        let answer =
            front.ask("POST /x", "origin: http://pa.localhost\r\ncontent-length: 0\r\n").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_not_the_next_requests() {
    let two = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\
                HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let front = Front::new(World::new(Some(crate::support::liar(two, true).await))).await;
    for _ in 0..5 {
        let answer =
            front.ask("POST /x", "origin: http://pa.localhost\r\ncontent-length: 0\r\n").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

#[tokio::test]
async fn http_2_comes_in_and_http_1_goes_on() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let stream = front.connect().await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let driver = tokio::spawn(connection);
    let asked = (0..10).map(|n| {
        let request = Request::builder()
            .method("POST")
            .uri(format!("http://{HOST}/n{n}"))
            .header("cookie", "a=1")
            .header("cookie", "smartbox_session=good")
            .header("cookie", "b=2")
            .header("origin", format!("http://{HOST}"))
            .body(Full::new(Bytes::from(vec![b'x'; 100_000])))
            .unwrap();
        sender.send_request(request)
    });
    let asked: Vec<_> = asked.collect();
    for (n, answer) in asked.into_iter().enumerate() {
        let answer = soon(answer).await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&text);
        assert!(text.starts_with(&format!("POST /n{n}\n")), "{text:.300}");
        assert!(text.contains("cookie: a=1; b=2\n") && text.contains("host: pa.localhost\n"));
        assert!(text.ends_with(&"x".repeat(100_000)));
    }
    drop(sender);
    soon(driver).await.unwrap().unwrap();
}

#[tokio::test]
async fn head_and_empty_answers_keep_their_headers() {
    let bare = engine(|_| async {
        Response::builder().header("content-length", "5").body(Full::from("12345")).unwrap()
    })
    .await;
    let front = Front::new(World::new(Some(bare))).await;
    let answer = front.ask("HEAD /x", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-length"), Some("5"));
    let empty =
        crate::support::liar(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n", false).await;
    let front = Front::new(World::new(Some(empty))).await;
    let answer = front.ask("GET /x", "").await;
    assert_eq!((answer.status, answer.header("etag")), (304, Some("\"1\"")));
}

#[tokio::test]
async fn methods_and_forms_of_targets() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    assert_eq!(front.ask("TRACE /", "origin: http://pa.localhost\r\n").await.status, 405);
    assert_eq!(front.ask("CONNECT pa.localhost:80", "").await.status, 405);
    let absolute = front.ask("GET http://pa.localhost/abs?x", "").await;
    assert!(absolute.body.starts_with("GET /abs?x\n"), "{absolute:?}");
    assert_eq!(front.ask("GET http://other.localhost/abs", "").await.status, 400);
    let two = "host: pa.localhost\r\n";
    assert_eq!(front.ask("GET /", two).await.status, 400);
    assert_eq!(front.ask("OPTIONS *", "origin: http://pa.localhost\r\n").await.status, 400);
}

#[tokio::test]
async fn what_streams_is_broken_off_when_its_asker_may_no_more() {
    let echo =
        engine(|request: Request<Incoming>| async move { Response::new(request.into_body()) });
    let front = Front::new(World::new(Some(echo.await))).await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}origin: http://{HOST}\r\n\
         transfer-encoding: chunked\r\n\r\n3\r\none\r\n"
    );
    let mut stream = front.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"one\r\n") {
        soon(stream.read_buf(&mut seen)).await.unwrap();
    }
    // Somebody else's session ended: this one goes on.
    front.edge.sessions_changed();
    stream.write_all(b"3\r\ntwo\r\n").await.unwrap();
    while !seen.ends_with(b"two\r\n") {
        assert!(soon(stream.read_buf(&mut seen)).await.unwrap() > 0);
    }
    *front.world.session.lock().unwrap() = None;
    front.edge.sessions_changed();
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "not as if it were whole: {rest:?}");
}
