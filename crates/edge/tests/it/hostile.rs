//! A box that does all it can, and visitors that do.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{COOKIE, Front, HOST, World, liar, mirror, soon};

#[tokio::test]
async fn a_boxes_malformed_answers_are_a_502_and_harm_nobody() {
    for (bytes, for_ever) in [
        (&b"HTTP/1.1 200 OK\r\nx-bomb: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"[..], true),
        (b"HTTP/1.1 100 Continue\r\n\r\n", true),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", true),
        (b"HTTP/1.1 ", true),
        (b"x", true),
        (b"\0\0\0\0", false),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nab", false),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", false),
        (b"", false),
    ] {
        let front = Front::new(World::new(Some(liar(bytes, for_ever).await))).await;
        let answer = front.ask("GET /x", "").await;
        assert_eq!(answer.status, 502, "{}: {answer:?}", String::from_utf8_lossy(bytes));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(World::count(&front.world.busy), 0);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_in_its_body_breaks_for_the_client_too() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nZZZ\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nffffffffffffffffff\r\n",
    ] {
        let front = Front::new(World::new(Some(liar(bytes, false).await))).await;
        let answer = front.ask("GET /x", "").await;
        // Where it breaks at once, not even the head may have gone out.
        assert!(matches!(answer.status, 0 | 200), "{answer:?}");
        let whole = answer.body.ends_with("0\r\n\r\n") || answer.body.len() == 100;
        assert!(!whole, "a broken answer does not look whole: {answer:?}");
    }
}

#[tokio::test]
async fn what_an_engine_says_unasked_is_nobodys_answer() {
    // The second half would be taken for the answer to the next request on the same connection.
    let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let front = Front::new(World::new(Some(liar(bytes, false).await))).await;
    for _ in 0..4 {
        assert_eq!(front.ask("GET /x", "").await.body, "ok");
    }
}

#[tokio::test]
async fn requests_that_smuggle_are_refused() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let own = "origin: http://pa.localhost\r\n";
    for headers in [
        "content-length: 1\r\ncontent-length: 2\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: x\r\n",
        "content-length: +1\r\n",
        "content-length: -1\r\n",
        " folded: x\r\n",
        "bad header: x\r\n",
        "x: a\0b\r\n",
    ] {
        let answer = front.ask("POST /x", &format!("{own}{headers}")).await;
        assert_eq!(answer.status, 400, "{headers:?} {answer:?}");
    }
    // Both lengths: chunked wins (RFC 9112 §6.3), and the engine sees only that.
    let both = format!(
        "POST /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}{own}\
         content-length: 100\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    );
    let answer = front.raw(both).await;
    assert!(answer.status == 400 || !answer.body.contains("content-length: 100"), "{answer:?}");
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let front = Front::new(World::new(Some(mirror().await))).await;
    let many = "x: y\r\n".repeat(200);
    assert_eq!(front.ask("GET /x", &many).await.status, 431);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    assert_eq!(front.ask("GET /x", &long).await.status, 431);
    assert_eq!(World::count(&front.world.dials), 0);
}

#[tokio::test]
async fn bodies_that_are_too_large_are_refused_or_cut() {
    let world = World::new(Some(mirror().await));
    let front = Front::with(world, |settings| settings.limits.body_bytes = 1000).await;
    let own = "origin: http://pa.localhost\r\n";
    let answer = front.ask("POST /x", &format!("{own}content-length: 1001\r\n")).await;
    assert_eq!(answer.status, 413);
    assert_eq!(World::count(&front.world.dials), 0, "refused before the engine hears of it");
    let mut text = format!(
        "POST /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}{own}\
         transfer-encoding: chunked\r\n\r\n"
    );
    for _ in 0..3 {
        text.push_str(&format!("1f4\r\n{}\r\n", "z".repeat(500)));
    }
    assert_eq!(front.raw(text + "0\r\n\r\n").await.status, 413);
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let world = World::new(Some(mirror().await));
    let front =
        Front::with(world, |settings| settings.limits.body_pause = Duration::from_millis(30)).await;
    let own = "origin: http://pa.localhost\r\n";
    let answer = front.ask("POST /x", &format!("{own}content-length: 10\r\n")).await;
    assert_eq!(answer.status, 408, "{answer:?}");
}

#[tokio::test]
async fn an_engine_that_never_answers_is_a_504() {
    let world = World::new(Some(liar(b"HTTP/1.1 200", false).await));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    *world.engine.lock().unwrap() = Some(silent.local_addr().unwrap());
    let front =
        Front::with(world, |settings| settings.limits.reply_time = Duration::from_millis(30)).await;
    assert_eq!(front.ask("GET /x", "").await.status, 504);
}

#[tokio::test]
async fn a_slow_head_is_cut_off_and_others_are_served_meanwhile() {
    let world = World::new(Some(mirror().await));
    let front =
        Front::with(world, |settings| settings.limits.head_time = Duration::from_millis(200)).await;
    let mut slow = Vec::new();
    for beginning in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: pa.localhost\r\n", b"PRI * HTTP/2"]
    {
        let mut stream = front.connect().await;
        stream.write_all(beginning).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(front.ask("GET /x", "").await.status, 200);
    for mut stream in slow {
        let mut rest = Vec::new();
        let _ = soon(stream.read_to_end(&mut rest)).await;
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{rest:?}");
    }
}
