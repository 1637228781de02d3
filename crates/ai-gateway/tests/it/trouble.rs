//! When providers refuse, stall, break, echo the key, or are not there; and when the box goes.

use std::sync::atomic::Ordering;

use smartbox_ai_gateway::{Protocol, ProviderConfig};

use crate::support::caller::{piece, post};
use crate::support::upstream::{
    Step, Upstream, chunk, delta, end, event, message_end, message_start, stream_head, whole,
};
use crate::support::world::{SHORT, World, logs, provider};
use crate::support::{KEY, soon};

const BODY: &str = r#"{"model":"claude-x","stream":true,"messages":[]}"#;

fn anthropic(upstream: &Upstream) -> ProviderConfig {
    provider("anthropic", Protocol::Anthropic, &upstream.base)
}

#[tokio::test]
async fn refusals_pass_with_what_clients_need_to_obey_them() {
    for (status, kind) in [
        ("400 Bad Request", "invalid_request_error"),
        ("429 Too Many Requests", "rate_limit_error"),
        ("529 Overloaded", "overloaded_error"),
    ] {
        let body = format!(
            r#"{{"type":"error","error":{{"type":"{kind}","message":"no"}},"usage":{{"input_tokens":9}}}}"#
        );
        let headers = "content-type: application/json\r\nretry-after: 17\r\nx-should-retry: true\r\nanthropic-ratelimit-requests-remaining: 0\r\nanthropic-organization-id: org-1\r\n";
        let upstream = Upstream::start(vec![whole(status, headers, body.as_bytes())]).await;
        let world = World::new(vec![anthropic(&upstream)]);
        let answer = world.call(post("/v1/messages", BODY)).await;
        assert_eq!(answer.status.as_str(), &status[..3]);
        assert_eq!(answer.text(), body);
        assert_eq!(answer.headers["retry-after"], "17");
        assert_eq!(answer.headers["x-should-retry"], "true");
        assert_eq!(answer.headers["anthropic-ratelimit-requests-remaining"], "0");
        assert!(!answer.headers.contains_key("anthropic-organization-id"));
        let row = world.only_row().await;
        assert_eq!((row.status, row.input), (answer.status.as_u16(), 0));
    }
}

#[tokio::test]
async fn a_refused_key_is_told_without_locking_the_engine_out() {
    for status in ["401 Unauthorized", "402 Payment Required", "403 Forbidden"] {
        let body = format!(r#"{{"error":{{"message":"bad key {KEY}"}}}}"#);
        let headers = "content-type: application/json\r\n";
        let upstream = Upstream::start(vec![whole(status, headers, body.as_bytes())]).await;
        let world = World::new(vec![anthropic(&upstream)]);
        let answer = world.call(post("/v1/messages", BODY)).await;
        assert_eq!(answer.status, 400);
        let text = answer.text();
        assert!(text.contains("smartbox secret set") && text.contains(&status[..3]), "{text}");
        assert!(!text.contains(KEY), "nothing of the provider's own words passes");
        world.only_row().await;
    }
}

#[tokio::test]
async fn a_key_that_the_provider_echoes_is_masked_wherever_it_stands() {
    let (first, rest) = KEY.split_at(9);
    let mask = "*".repeat(KEY.len());
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nrequest-id: {KEY}\r\nx-request-id: ok\r\nx-your-key: {KEY}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let upstream = Upstream::start(vec![
        Step::Send(head.into_bytes()),
        chunk(&format!("bad key {KEY}, I say: {first}")),
        chunk(rest),
        chunk(" sk-ant"),
        end(),
    ])
    .await;
    let world = World::new(vec![anthropic(&upstream)]);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!(answer.text(), format!("bad key {mask}, I say: {mask} sk-ant"));
    assert!(
        !answer.headers.contains_key("request-id") && !answer.headers.contains_key("x-your-key")
    );
    assert_eq!(answer.headers["x-request-id"], "ok");
    world.only_row().await;
}

#[tokio::test]
async fn an_error_amid_the_stream_passes_and_what_was_known_is_recorded() {
    let error =
        event(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    let text = message_start() + &delta("a") + &error;
    let upstream = Upstream::start(vec![stream_head(), chunk(&text), end()]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!((answer.text(), answer.cut), (text.as_str(), false));
    let row = world.only_row().await;
    assert_eq!((row.input, row.output, row.status), (25, 1, 200));
}

#[tokio::test]
async fn a_provider_that_falls_silent_or_breaks_off_looks_broken_off() {
    for ending in [vec![Step::Stall], vec![]] {
        // In one piece, so that only the silence after it can run out.
        let (Step::Send(head), Step::Send(first)) = (stream_head(), chunk(&message_start())) else {
            panic!("both are bytes")
        };
        let mut steps = vec![Step::Send([head, first].concat())];
        steps.extend(ending);
        let upstream = Upstream::start(steps).await;
        let mut config = anthropic(&upstream);
        config.timeouts.idle = SHORT;
        let world = World::new(vec![config]);
        let answer = world.call(post("/v1/messages", BODY)).await;
        assert_eq!(answer.text(), message_start());
        assert!(answer.cut, "a cut must not look like an end");
        assert_eq!(world.only_row().await.input, 25);
    }
}

#[tokio::test]
async fn a_huge_piece_passes_and_what_follows_is_still_metered() {
    let huge = format!("data: {}\n\n", "z".repeat(6 << 20));
    let text = message_start() + &huge + &message_end();
    let upstream = Upstream::start(vec![stream_head(), chunk(&text), end()]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert!(answer.text() == text && !answer.cut);
    let row = world.only_row().await;
    assert_eq!((row.input, row.output), (25, 15));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_told_with_a_hint_and_is_no_reason_to_try_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let world = World::new(vec![
        provider("anthropic", Protocol::Anthropic, &base),
        provider("openai", Protocol::Openai, &base),
    ]);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["type"].as_str()), (424, Some("error")));
    assert_eq!(answer.headers["x-should-retry"], "false");
    assert_eq!(answer.json()["error"]["type"], "api_error");
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("`anthropic`") && message.contains("base address"), "{message}");
    // What the engine knows it by, and what it would take it for something else by.
    assert!(message.contains("host is unreachable"), "{message}");
    assert!(!message.to_lowercase().contains("dns") && !message.contains("refused"), "{message}");
    assert_eq!(world.only_row().await.status, 424);
    let answer = world.call(post("/v1/chat/completions", BODY)).await;
    assert_eq!(answer.status, 424);
    assert_eq!(answer.json()["error"]["type"], "api_error");
    assert_eq!(answer.json()["error"]["code"], "provider_unreachable");
}

#[tokio::test]
async fn a_provider_that_never_answers_is_a_504_and_is_let_go() {
    let upstream = Upstream::start(vec![Step::Stall]).await;
    let mut config = anthropic(&upstream);
    config.timeouts.answer = SHORT;
    let world = World::new(vec![config]);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json()["error"]["type"], "timeout_error");
    upstream.left().await;
    assert_eq!(world.only_row().await.status, 504);
}

#[tokio::test]
async fn a_provider_that_hangs_up_at_once_is_a_502() {
    let upstream = Upstream::start(vec![]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    assert_eq!(world.call(post("/v1/messages", BODY)).await.status, 502);
    assert_eq!(world.only_row().await.status, 502);
}

#[tokio::test]
async fn the_key_does_not_follow_a_redirect() {
    let elsewhere = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    for status in ["301 Moved", "307 Temporary", "308 Permanent"] {
        let location = format!("location: {}/v1/messages\r\n", elsewhere.base);
        let upstream = Upstream::start(vec![whole(status, &location, b"")]).await;
        let world = World::new(vec![anthropic(&upstream)]);
        let answer = world.call(post("/v1/messages", BODY)).await;
        assert_eq!(answer.status, 502);
        assert!(!answer.headers.contains_key("location"));
        world.only_row().await;
    }
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_box_that_hangs_up_ends_the_call_at_the_provider() {
    let upstream = Upstream::start(vec![stream_head(), chunk(&message_start()), Step::Stall]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    let (response, connection) = world.open(post("/v1/messages", BODY)).await;
    let mut body = response.into_body();
    assert_eq!(piece(&mut body).await, message_start());
    drop(body);
    connection.abort();
    upstream.left().await;
    let row = world.only_row().await;
    assert_eq!((row.input, row.output, row.status), (25, 1, 200));
}

#[tokio::test]
async fn a_box_that_hangs_up_before_the_answer_leaves_a_row() {
    use tokio::io::AsyncWriteExt as _;
    let mut upstream = Upstream::start(vec![Step::Stall]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    let (mut near, served) = world.connect();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-length: {}\r\n\r\n{BODY}",
        crate::support::TOKEN,
        BODY.len()
    );
    soon(near.write_all(head.as_bytes())).await.unwrap();
    upstream.seen().await;
    drop(near);
    upstream.left().await;
    soon(served).await.unwrap();
    assert_eq!(world.only_row().await.status, 499);
}

#[tokio::test]
async fn a_store_that_fails_fails_no_call() {
    let upstream = Upstream::start(vec![stream_head(), chunk(&message_end()), end()]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    world.ledger.broken.store(true, Ordering::SeqCst);
    assert_eq!(world.call(post("/v1/messages", BODY)).await.text(), message_end());
    assert!(world.rows().await.is_empty());
    assert!(logs().text().contains("usage was not recorded"));
}

#[tokio::test]
async fn a_vault_that_fails_and_a_key_that_is_none_are_told_apart() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let world = World::new(vec![anthropic(&upstream)]);
    world.vault.broken.store(true, Ordering::SeqCst);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!((answer.status.as_u16(), answer.text().contains("vault")), (500, true));
    world.vault.broken.store(false, Ordering::SeqCst);
    world.vault.set(Some("sk-ant\r\nx-admin: 1"));
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("TEST_KEY") && !answer.text().contains("sk-ant"));
    assert!(!upstream.saw_more());
    world.vault.set(Some(&format!("  {KEY}\n")));
    assert_eq!(world.call(post("/v1/messages", BODY)).await.status, 200);
    assert_eq!(upstream.seen().await.header("x-api-key"), Some(KEY));
}
