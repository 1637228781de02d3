//! What passes: requests byte for byte, answers as they come, the key outside, the usage counted.

use std::sync::Arc;

use smartbox_ai_gateway::Protocol;
use tokio::sync::Notify;

use crate::support::caller::{piece, post};
use crate::support::upstream::{
    Step, Upstream, chunk, delta, end, message_end, message_start, stream_head, whole,
};
use crate::support::world::{World, provider};
use crate::support::{KEY, TOKEN};

const BODY: &str = r#"{ "model": "claude-x",  "stream":true, "max_tokens": 8192, "messages":[{"role":"user","content":"h\u00e9 \"model\": é"}] }"#;

fn anthropic(upstream: &Upstream) -> World {
    World::new(vec![provider("anthropic", Protocol::Anthropic, &upstream.base)])
}

#[tokio::test]
async fn a_streamed_call_passes_untouched_and_is_metered() {
    let text = message_start() + &delta("hello") + &message_end();
    let (one, two) = text.split_at(333);
    let mut upstream = Upstream::start(vec![stream_head(), chunk(one), chunk(two), end()]).await;
    let world = anthropic(&upstream);
    let mut request = post("/v1/messages?beta=true", BODY);
    request.headers_mut().insert("authorization", "Bearer something else".parse().unwrap());
    request.headers_mut().insert("cookie", "a=b".parse().unwrap());
    let answer = world.call(request).await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), text);
    assert_eq!(answer.headers["request-id"], "req_1");
    assert!(!answer.headers.contains_key("set-cookie"));

    let seen = upstream.seen().await;
    assert!(seen.head.starts_with("POST /v1/messages?beta=true HTTP/1.1\r\n"), "{}", seen.head);
    assert_eq!(seen.body, BODY.as_bytes());
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(seen.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(seen.header("content-length"), Some(BODY.len().to_string().as_str()));
    assert_eq!(seen.header("host"), upstream.base.strip_prefix("http://"));
    for name in ["authorization", "cookie", "traceparent", "transfer-encoding"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert!(!seen.head.contains(TOKEN));

    let row = world.only_row().await;
    assert_eq!((row.input, row.output, row.cache_read, row.cache_write), (25, 15, 9, 7));
    assert_eq!((row.status, row.model.as_str()), (200, "claude-x"));
    assert_eq!(
        (row.provider.as_str(), row.smartbox.as_str()),
        ("anthropic", "box_00000000000000000001")
    );
    assert!(row.took_ms > 0);
}

#[tokio::test]
async fn every_event_arrives_before_the_next_is_sent() {
    let go = Arc::new(Notify::new());
    let upstream = Upstream::start(vec![
        stream_head(),
        chunk(&message_start()),
        Step::Wait(go.clone()),
        chunk(&delta("one")),
        Step::Wait(go.clone()),
        chunk(&message_end()),
        end(),
    ])
    .await;
    let world = anthropic(&upstream);
    let (response, _open) = world.open(post("/v1/messages", BODY)).await;
    let mut body = response.into_body();
    assert_eq!(piece(&mut body).await, message_start());
    world.busy.reaches(1).await;
    go.notify_one();
    assert_eq!(piece(&mut body).await, delta("one"));
    go.notify_one();
    assert_eq!(piece(&mut body).await, message_end());
    assert_eq!(world.only_row().await.output, 15);
}

#[tokio::test]
async fn openai_gets_a_bearer_and_its_usage_is_read() {
    let text = concat!(
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
        "data: [DONE]\n\n",
    );
    let mut upstream = Upstream::start(vec![stream_head(), chunk(text), end()]).await;
    let base = format!("{}/api/v1/", upstream.base);
    let world = World::new(vec![provider("openai", Protocol::Openai, &base)]);
    let answer =
        world.call(post("/v1/chat/completions", r#"{"model":"gpt-x","stream":true}"#)).await;
    assert_eq!(answer.text(), text);
    let seen = upstream.seen().await;
    assert!(seen.head.starts_with("POST /api/v1/chat/completions "), "{}", seen.head);
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(seen.header("x-api-key"), None);
    let row = world.only_row().await;
    assert_eq!((row.input, row.output, row.cache_read), (12, 5, 8));
}

#[tokio::test]
async fn responses_and_whole_answers_are_metered_too() {
    let body = br#"{"id":"resp_1","output":[],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87}}"#;
    let upstream =
        Upstream::start(vec![whole("200 OK", "content-type: application/json\r\n", body)]).await;
    let world = World::new(vec![provider("openai", Protocol::Openai, &upstream.base)]);
    let answer = world.call(post("/v1/responses", r#"{"model":"gpt-x"}"#)).await;
    assert_eq!(
        (&answer.body[..], answer.headers["content-length"].to_str().unwrap()),
        (&body[..], body.len().to_string().as_str())
    );
    let row = world.only_row().await;
    assert_eq!((row.input, row.output, row.cache_read), (30, 87, 6));
}

#[tokio::test]
async fn a_model_is_renamed_only_where_configured_and_nothing_else_changes() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let mut config = provider("anthropic", Protocol::Anthropic, &upstream.base);
    config.default_model = Some("claude-big".to_owned());
    let world = World::new(vec![config]);
    let body = r#"{"messages":["model","default"], "model" : "default" ,"x":{"model":"default"}}"#;
    world.call(post("/v1/messages", body)).await;
    let seen = upstream.seen().await;
    let expected =
        r#"{"messages":["model","default"], "model" : "claude-big" ,"x":{"model":"default"}}"#;
    assert_eq!(String::from_utf8(seen.body.clone()).unwrap(), expected);
    assert_eq!(seen.header("content-length"), Some(expected.len().to_string().as_str()));
    assert_eq!(world.only_row().await.model, "default");
}

#[tokio::test]
async fn a_long_body_with_its_model_at_the_end_passes_whole() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let world = anthropic(&upstream);
    for body in [
        format!(r#"{{"messages":"{}","model":"claude-x"}}"#, "x".repeat(3 << 20)),
        format!(r#"{{"model":"claude-x","messages":"{}"}}"#, "y".repeat(3 << 20)),
    ] {
        assert_eq!(world.call(post("/v1/messages", body.clone())).await.status, 200);
        assert!(upstream.seen().await.body == body.as_bytes());
    }
    assert_eq!(world.rows().await.len(), 2);
}

#[tokio::test]
async fn counting_tokens_and_listing_models_pass_and_cost_nothing() {
    let mut upstream = Upstream::start(vec![whole(
        "200 OK",
        "content-type: application/json\r\n",
        b"{\"input_tokens\":3}",
    )])
    .await;
    let world = anthropic(&upstream);
    let answer = world.call(post("/v1/messages/count_tokens", r#"{"model":"claude-x"}"#)).await;
    assert_eq!(answer.json()["input_tokens"], 3);
    assert!(upstream.seen().await.head.starts_with("POST /v1/messages/count_tokens "));
    let mut request = post("/v1/models?limit=5", "");
    *request.method_mut() = http::Method::GET;
    assert_eq!(world.call(request).await.status, 200);
    let seen = upstream.seen().await;
    assert!(seen.head.starts_with("GET /v1/models?limit=5 "), "{}", seen.head);
    assert_eq!(seen.header("x-api-key"), Some(KEY));
    assert!(world.rows().await.is_empty());
}

#[tokio::test]
async fn a_connection_serves_one_call_after_another() {
    let upstream =
        Upstream::start(vec![whole("200 OK", "content-type: application/json\r\n", b"{}")]).await;
    let world = anthropic(&upstream);
    let one = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {TOKEN}\r\ncontent-length: {}\r\n",
        BODY.len()
    );
    let bytes = format!("{one}\r\n{BODY}{one}connection: close\r\n\r\n{BODY}");
    let all = world.raw(bytes.as_bytes()).await;
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 2, "{all}");
    assert_eq!(world.rows().await.len(), 2);
}

#[tokio::test]
async fn a_compressed_answer_passes_as_it_is() {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(message_start().as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    let headers = "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n";
    let upstream = Upstream::start(vec![whole("200 OK", headers, &packed)]).await;
    let world = anthropic(&upstream);
    let answer = world.call(post("/v1/messages", BODY)).await;
    assert_eq!(answer.body, packed);
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(world.only_row().await.input, 0);
}
