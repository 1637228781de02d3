//! Requests that mean one thing to a proxy and another to us, and paths that mean one thing to a
//! policy and another to whoever serves them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{COOKIE, Front, HOST, World, mirror, soon};

const OWN: &str = "origin: http://pa.localhost\r\n";

async fn front() -> Front {
    Front::new(World::new(Some(mirror().await))).await
}

/// Sends bytes as they are, without a word about closing; all that comes back until the edge closes,
/// or has answered so often.
async fn talk(front: &Front, bytes: &str) -> String {
    let mut stream = front.connect().await;
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut seen = Vec::new();
    let _ = soon(stream.read_to_end(&mut seen)).await;
    String::from_utf8_lossy(&seen).into_owned()
}

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

/// What stands behind a request that two readers see the end of in two places.
fn hidden() -> String {
    format!("GET /smuggled HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}\r\n")
}

#[tokio::test]
async fn cl_te_and_te_cl_end_the_connection_with_the_one_request() {
    let front = front().await;
    for lengths in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\nconnection: keep-alive\r\n",
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}{OWN}{lengths}\r\n0\r\n\r\n{}",
            hidden()
        );
        let seen = talk(&front, &text).await;
        assert_eq!(answers(&seen), 1, "{lengths}: {seen}");
        assert!(!seen.contains("smuggled"), "{lengths}: {seen}");
    }
}

#[tokio::test]
async fn te_te_and_what_only_looks_like_chunked_is_refused() {
    let front = front().await;
    for coding in [
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: \"chunked\"",
        "transfer-encoding : chunked",
        "transfer-encoding: chun\0ked",
        "transfer-encoding:\x0bchunked",
        "x: y\r\n transfer-encoding: chunked",
        "x: y\rtransfer-encoding: chunked",
        "content-length: 0\r\ncontent-length: 44",
        "content-length: 0, 44",
        "content-length: 0x10",
        "content-length: 1_0",
        "content-length: +0",
        "content-length: 18446744073709551616",
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}{OWN}{coding}\r\n\r\n0\r\n\r\n{}",
            hidden()
        );
        let seen = talk(&front, &text).await;
        assert!(seen.starts_with("HTTP/1.1 400"), "{coding:?}: {seen}");
        assert_eq!(answers(&seen), 1, "{coding:?}: {seen}");
    }
    assert_eq!(World::count(&front.world.dials), 0, "no engine has heard of it");
}

#[tokio::test]
async fn chunks_that_two_readers_measure_differently_end_the_connection() {
    let front = front().await;
    for chunks in [
        "5\nhello\n0\n\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5 5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;x\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
    ] {
        let text = format!(
            "POST /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}{OWN}transfer-encoding: chunked\r\n\r\n\
             {chunks}{}",
            hidden()
        );
        let seen = talk(&front, &text).await;
        assert!(answers(&seen) <= 1 && !seen.contains("smuggled"), "{chunks:?}: {seen}");
        assert!(!seen.contains("HTTP/1.1 200"), "{chunks:?}: {seen}");
    }
    // An extension is no part of the body, and none reaches the engine.
    let fine = format!(
        "POST /x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{COOKIE}{OWN}\
         transfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx-smartbox-user: root\r\n\r\n"
    );
    let answer = front.raw(fine).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("hello") && !answer.body.contains("root"), "{answer:?}");
    // Extensions without an end are no way to keep a reader busy.
    let long = format!(
        "POST /x HTTP/1.1\r\nhost: {HOST}\r\n{COOKIE}{OWN}transfer-encoding: chunked\r\n\r\n5;{}",
        "a".repeat(1 << 20)
    );
    assert!(!talk(&front, &long).await.contains("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_request_names_one_host_wherever_it_names_it() {
    let front = front().await;
    for (line, hosts) in [
        ("GET http://localhost/x HTTP/1.1", "host: pa.localhost\r\n"),
        ("GET http://pa.localhost/x HTTP/1.1", "host: localhost\r\n"),
        ("GET http://pa.localhost@evil.test/x HTTP/1.1", "host: pa.localhost\r\n"),
        ("GET /x HTTP/1.1", "host: pa.localhost\r\nhost: localhost\r\n"),
        ("GET /x HTTP/1.1", "host: pa.localhost\r\nhost: pa.localhost\r\n"),
        ("GET /x HTTP/1.1", "host: pa.localhost, localhost\r\n"),
        ("GET /x HTTP/1.1", "host: pa.localhost/../x\r\n"),
        ("GET /x HTTP/1.1", "host: pa.localhost:80:90\r\n"),
        ("GET //localhost/x HTTP/1.1", "host: localhost, pa.localhost\r\n"),
        ("CONNECT pa.localhost:80 HTTP/1.1", "host: pa.localhost:80\r\n"),
    ] {
        let text = format!("{line}\r\n{hosts}connection: close\r\n{COOKIE}\r\n");
        let answer = front.raw(text).await;
        // To the engine under no circumstances; whether it is the platform's to refuse is its matter.
        assert!(
            !answer.body.contains("cookie") && !answer.body.starts_with("GET"),
            "{line}: {answer:?}"
        );
    }
    assert_eq!(World::count(&front.world.dials), 0);
}

#[tokio::test]
async fn however_a_path_is_written_it_does_not_pass_the_session() {
    let front = front().await;
    *front.world.session.lock().unwrap() = None;
    for path in [
        "/_smartbox/../secret",
        "/_smartbox/%2e%2e/secret",
        "/_smartbox/..%2fsecret",
        "/_smartbox%2f..%2fsecret",
        "/%5f%73martbox/enter",
        "/assets/../secret",
        "/assets/%2e%2e%2fsecret",
        "/assets/..%5csecret",
        "/assets/..%252fsecret",
        "/assets/%00",
        "/%2e%2e/%2e%2e/secret",
        "//secret",
        "/./secret",
        "/secret;/assets/x.js",
        "/secret?/assets/",
        "*",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let answer = front.ask(&format!("{method} {path}"), OWN).await;
            assert!(matches!(answer.status, 400 | 401 | 404), "{method} {path}: {answer:?}");
        }
    }
    assert_eq!(World::count(&front.world.dials), 0, "no engine has heard of it");
    assert_eq!(World::count(&front.world.wakes) + World::count(&front.world.nudges), 0);
}

#[tokio::test]
async fn a_path_reaches_the_engine_as_it_was_written_or_not_at_all() {
    let front = front().await;
    for path in
        ["/a/../b", "/a%2fb", "/a%2Fb", "/%2e%2e/b", "/a%5cb", "/a%252fb", "//a", "/a;b", "/%00"]
    {
        let answer = front.ask(&format!("GET {path}"), "").await;
        assert!(answer.body.starts_with(&format!("GET {path}\n")), "{path}: {answer:?}");
    }
    for path in ["/a b", "/a\u{0}b", "/a\\b#c", "a", "/\u{7f}"] {
        let answer = front.ask(&format!("GET {path}"), "").await;
        assert!(!answer.body.starts_with("GET") || answer.status == 200, "{path:?}: {answer:?}");
        assert!(!answer.body.contains('\u{0}'), "{path:?}");
    }
}
