//! A hostile box: what it may not do to the provider, to other boxes, or to the platform.

use std::sync::atomic::Ordering;
use std::time::Duration;

use smartbox_ai_gateway::{Limits, Protocol};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::caller::post;
use crate::support::upstream::{Step, Upstream, whole};
use crate::support::world::{SHORT, World, provider};
use crate::support::{TOKEN, soon};

const BODY: &str = r#"{"model":"claude-x","messages":[]}"#;

async fn one() -> (Upstream, World) {
    let upstream =
        Upstream::start(vec![whole("200 OK", "content-type: application/json\r\n", b"{}")]).await;
    let world = World::new(vec![
        provider("anthropic", Protocol::Anthropic, &upstream.base),
        provider("openai", Protocol::Openai, &upstream.base),
    ]);
    (upstream, world)
}

fn raw(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nx-api-key: {TOKEN}\r\nconnection: close\r\n{headers}\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn no_token_or_another_boxes_token_is_a_401_in_the_vendors_words() {
    let (upstream, world) = one().await;
    for token in ["", "box-token-2", "box-token-", "BOX-TOKEN-1"] {
        let mut request = post("/v1/messages", BODY);
        request.headers_mut().insert("x-api-key", token.parse().unwrap());
        let answer = world.call(request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"]["type"], "authentication_error");
        let mut request = post("/v1/chat/completions", BODY);
        request.headers_mut().clear();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let answer = world.call(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"]["code"].as_str()),
            (401, Some("invalid_api_key"))
        );
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 0);
    assert!(world.rows().await.is_empty());
}

#[tokio::test]
async fn other_paths_hosts_and_methods_lead_nowhere() {
    let (upstream, world) = one().await;
    let target = upstream.base.clone();
    for line in [
        "POST /v1/messages/../../admin HTTP/1.1".to_owned(),
        "POST /v1/messages/..%2f..%2fadmin HTTP/1.1".to_owned(),
        "POST //evil.example/v1/messages HTTP/1.1".to_owned(),
        format!("POST {target}/v1/messages HTTP/1.1"),
        "POST http://169.254.169.254/v1/messages HTTP/1.1".to_owned(),
        format!("CONNECT {} HTTP/1.1", target.trim_start_matches("http://")),
        "GET /v1/organizations HTTP/1.1".to_owned(),
        "DELETE /v1/messages HTTP/1.1".to_owned(),
    ] {
        let bytes = format!("{line}\r\nhost: x\r\nx-api-key: {TOKEN}\r\nconnection: close\r\n\r\n");
        let all = world.raw(bytes.as_bytes()).await;
        assert!(all.starts_with("HTTP/1.1 404 "), "{line}: {all}");
        assert!(all.contains("not_found_error"), "{line}: {all}");
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_length_of_a_body_cannot_hide_a_second_request() {
    let (mut upstream, world) = one().await;
    let hidden = "POST /v1/messages HTTP/1.1\r\nx-api-key: stolen\r\n\r\n";
    // Both framings: one must win at both ends, and only one framing may leave.
    let chunked = format!("{:x}\r\n{BODY}\r\n0\r\n\r\n{hidden}", BODY.len());
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    ] {
        let all = world.raw(&raw("/v1/messages", headers, &chunked)).await;
        assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{all}");
        if all.starts_with("HTTP/1.1 200") {
            let seen = upstream.seen().await;
            assert_eq!(seen.body, BODY.as_bytes());
            assert!(!seen.head.contains("stolen"));
        }
    }
    for headers in [
        format!("content-length: {}\r\ncontent-length: 3\r\n", BODY.len()),
        "content-length: -1\r\n".to_owned(),
        "content-length: 0x10\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "content-length : 3\r\n".to_owned(),
    ] {
        let all = world.raw(&raw("/v1/messages", &headers, BODY)).await;
        assert!(all.starts_with("HTTP/1.1 400 "), "{headers}: {all}");
    }
    let all = world.raw(&raw("/v1/messages", "transfer-encoding: chunked\r\n", "zz\r\nx")).await;
    assert!(!all.starts_with("HTTP/1.1 200"), "{all}");
    assert!(!upstream.saw_more());
}

#[tokio::test]
async fn headers_cannot_be_smuggled_to_the_provider() {
    let (mut upstream, world) = one().await;
    let headers =
        format!("content-length: {}\r\nanthropic-beta: a\rx-api-key: stolen\r\n", BODY.len());
    let all = world.raw(&raw("/v1/messages", &headers, BODY)).await;
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    let headers =
        format!("content-length: {}\r\nanthropic-beta: a\r\n x-api-key: folded\r\n", BODY.len());
    let all = world.raw(&raw("/v1/messages", &headers, BODY)).await;
    assert!(all.starts_with("HTTP/1.1 400 "), "{all}");
    assert!(!upstream.saw_more());
    let big = format!("content-length: {}\r\nx-big: {}\r\n", BODY.len(), "a".repeat(100 << 10));
    let all = world.raw(&raw("/v1/messages", &big, BODY)).await;
    assert!(all.starts_with("HTTP/1.1 431 "), "{}", &all[..60.min(all.len())]);
}

#[tokio::test]
async fn oversized_bodies_are_refused_announced_or_not() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let world =
        World::with(vec![provider("anthropic", Protocol::Anthropic, &upstream.base)], |parts| {
            parts.limits.body = 1 << 20;
        });
    let all = world.raw(&raw("/v1/messages", "content-length: 1048577\r\n", "")).await;
    assert!(all.starts_with("HTTP/1.1 413 ") && all.contains("request_too_large"), "{all}");
    // The model known at once, and the rest streaming; then the model never named.
    for body in [
        format!(r#"{{"model":"claude-x","messages":"{}"}}"#, "x".repeat(2 << 20)),
        format!(r#"{{"messages":"{}"}}"#, "x".repeat(2 << 20)),
    ] {
        let (near, _) = world.connect();
        let (mut read, mut write) = tokio::io::split(near);
        let bytes = raw(
            "/v1/messages",
            "transfer-encoding: chunked\r\n",
            &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        );
        let writing = tokio::spawn(async move {
            let _ = write.write_all(&bytes).await;
        });
        let mut all = Vec::new();
        let _ = soon(read.read_to_end(&mut all)).await;
        soon(writing).await.unwrap();
        assert!(all.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&all));
    }
    assert!(!upstream.saw_more(), "the provider must not get a whole request");
}

#[tokio::test]
async fn a_body_that_two_parsers_would_read_differently_is_refused() {
    let (mut upstream, world) = one().await;
    let late = format!(
        r#"{{"model":"claude-x","messages":"{}","MODEL":"claude-y"}}"#,
        "x".repeat(1 << 20)
    );
    for body in [
        r#"{"model":"claude-x","model":"claude-y"}"#.to_owned(),
        r#"{"model":"claude-x","\u006dodel":"claude-y"}"#.to_owned(),
        late,
    ] {
        let answer = world.call(post("/v1/messages", body)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"]["type"].as_str()),
            (400, Some("invalid_request_error"))
        );
    }
    for body in [
        "",
        "[]",
        "{}",
        "not json",
        r#"{"model":7}"#,
        r#"{"model":""}"#,
        "{\"model\":\"a\u{1b}[2J\"}",
        "{\"model\":\"a\\u000ab\"}",
    ] {
        assert_eq!(world.call(post("/v1/messages", body)).await.status, 400, "{body}");
    }
    let mut packed = post("/v1/messages", BODY);
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(world.call(packed).await.status, 415);
    assert!(!upstream.saw_more());
}

#[tokio::test]
async fn slow_drips_run_out() {
    let upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let world =
        World::with(vec![provider("anthropic", Protocol::Anthropic, &upstream.base)], |parts| {
            parts.limits.head = SHORT;
            parts.limits.pause = SHORT;
            parts.limits.upload = Duration::from_millis(900);
        });
    // A head that never ends: the connection is closed.
    world.raw(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\n").await;
    // A body that stops: a clear answer.
    let all = world.raw(&raw("/v1/messages", "content-length: 50\r\n", r#"{"model":"cl"#)).await;
    assert!(all.starts_with("HTTP/1.1 408 "), "{all}");
    // A body that drips for ever, each drip in time: the whole has a deadline.
    let (near, _) = world.connect();
    let (mut read, mut write) = tokio::io::split(near);
    let dripping = tokio::spawn(async move {
        let _ = write.write_all(&raw("/v1/messages", "content-length: 5000\r\n", "{")).await;
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if write.write_all(b" ").await.is_err() {
                return;
            }
        }
    });
    let mut all = Vec::new();
    let _ = soon(read.read_to_end(&mut all)).await;
    assert!(all.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&all));
    soon(dripping).await.unwrap();
    world.busy.quiet().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_ends_before_and_between_its_requests() {
    assert!(Limits::default().head <= Duration::from_secs(10));
    let world = World::with(vec![], |parts| parts.limits.head = SHORT);
    // Not one byte, as twenty thousand of them once kept the platform from serving anybody.
    let (mut silent, served) = world.connect();
    let mut all = Vec::new();
    let _ = soon(silent.read_to_end(&mut all)).await;
    soon(served).await.unwrap();
    // One request that is answered, on a connection that is then kept for nothing.
    let (mut kept, served) = world.connect();
    soon(kept.write_all(b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n")).await.unwrap();
    let mut all = Vec::new();
    let _ = soon(kept.read_to_end(&mut all)).await;
    soon(served).await.unwrap();
    let all = String::from_utf8_lossy(&all);
    assert!(all.starts_with("HTTP/1.1 4") && all.matches("HTTP/1.1 ").count() == 1, "{all}");
}

#[tokio::test]
async fn a_box_has_so_many_calls_and_all_boxes_so_much_memory() {
    let upstream = Upstream::start(vec![Step::Stall]).await;
    let world =
        World::with(vec![provider("anthropic", Protocol::Anthropic, &upstream.base)], |parts| {
            parts.limits.calls = 1;
            parts.limits.held = 1000;
        });
    let long = format!(r#"{{"messages":"{}","model":"claude-x"}}"#, "x".repeat(2000));
    let answer = world.call(post("/v1/messages", long)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["type"].as_str()),
        (529, Some("overloaded_error"))
    );
    assert_eq!(answer.headers["retry-after"], "1");
    world.busy.quiet().await;
    let (mut near, _) = world.connect();
    let bytes = raw("/v1/messages", &format!("content-length: {}\r\n", BODY.len()), BODY);
    soon(near.write_all(&bytes)).await.unwrap();
    world.busy.reaches(1).await;
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["type"].as_str()),
        (429, Some("rate_limit_error"))
    );
    drop(near);
    world.busy.quiet().await;
}
