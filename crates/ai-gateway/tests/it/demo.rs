//! The demo model, as the engine meets it.

use std::time::Duration;

use serde_json::{Value, json};
use smartbox_ai_gateway::{Protocol, ProviderConfig};

use crate::support::caller::{Answer, piece, post};
use crate::support::upstream::{Upstream, whole};
use crate::support::world::{World, provider};

fn keyless(providers: Vec<ProviderConfig>) -> World {
    let world = World::new(providers);
    world.vault.set(None);
    world
}

fn ask(text: &str) -> String {
    json!({
        "model": "default", "stream": true, "max_tokens": 8192,
        "tools": [{ "name": "exec", "input_schema": { "type": "object", "properties": { "command": { "type": "string" } } } }],
        "messages": [
            { "role": "user", "content": [{ "type": "text", "text": format!("[Mon 2026-11-23 13:13 UTC] {text}"), "cache_control": { "type": "ephemeral" } }] },
            { "role": "user", "content": "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nruntime: x\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>" },
        ],
    })
    .to_string()
}

/// The events of an Anthropic stream.
fn events(answer: &Answer) -> Vec<Value> {
    answer
        .text()
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
            data
        })
        .collect()
}

#[tokio::test]
async fn without_a_key_it_answers_in_anthropics_words() {
    let world = keyless(vec![provider("anthropic", Protocol::Anthropic, "http://127.0.0.1:1")]);
    let answer = world.call(post("/v1/messages", ask("say: one two three"))).await;
    assert_eq!(answer.status, 200);
    let events = events(&answer);
    let kinds: Vec<_> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let text: String = events.iter().filter_map(|e| e["delta"]["text"].as_str()).collect();
    assert_eq!(text, "one two three");
    assert_eq!(events[7]["delta"]["stop_reason"], "end_turn");
    let row = world.only_row().await;
    assert_eq!((row.provider.as_str(), row.model.as_str(), row.status), ("demo", "default", 200));
    assert_eq!(Some(row.output), events[7]["usage"]["output_tokens"].as_u64());
    assert!(row.input > 0);
}

#[tokio::test]
async fn it_calls_a_tool_and_the_stream_says_so() {
    let world = keyless(vec![]);
    let answer = world.call(post("/v1/messages", ask("run: uname -a"))).await;
    let events = events(&answer);
    assert_eq!(events[1]["content_block"]["type"], "tool_use");
    assert_eq!(events[1]["content_block"]["name"], "exec");
    let json: String = events.iter().filter_map(|e| e["delta"]["partial_json"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!({ "command": "uname -a" }));
    assert!(events.iter().any(|e| e["delta"]["stop_reason"] == "tool_use"));
}

#[tokio::test]
async fn it_answers_whole_and_in_openais_words() {
    let world = keyless(vec![]);
    let whole = ask("hello").replace(r#""stream":true"#, r#""stream":false"#);
    let answer = world.call(post("/v1/messages", whole)).await.json();
    assert!(answer["content"][0]["text"].as_str().unwrap().contains("demo model"));
    let request =
        json!({ "model": "demo", "messages": [{ "role": "user", "content": "say: a b" }] });
    let answer = world.call(post("/v1/chat/completions", request.to_string())).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "a b");
    let request = json!({
        "model": "demo", "stream": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "say: a b" }],
    });
    let answer = world.call(post("/v1/chat/completions", request.to_string())).await;
    let mut lines: Vec<_> =
        answer.text().split_terminator("\n\n").map(|l| l.strip_prefix("data: ").unwrap()).collect();
    assert_eq!(lines.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text: String =
        chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "a b");
    assert!(chunks.iter().any(|c| c["choices"][0]["finish_reason"] == "stop"));
    assert!(chunks.last().unwrap()["usage"]["completion_tokens"].is_u64());
    assert!(
        world
            .rows()
            .await
            .iter()
            .all(|row| row.provider == "demo" && row.input > 0 && row.output > 0)
    );
    let answer = world.call(post("/v1/responses", r#"{"model":"demo"}"#)).await;
    assert_eq!(answer.status, 404);
    let answer = world.call(post("/v1/messages/count_tokens", ask("x"))).await;
    assert!(answer.json()["input_tokens"].as_u64().unwrap() > 10);
}

#[tokio::test]
async fn a_key_takes_effect_with_the_next_call() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let mut config = provider("anthropic", Protocol::Anthropic, &upstream.base);
    config.default_model = Some("claude-big".to_owned());
    let world = keyless(vec![config]);
    assert!(world.call(post("/v1/messages", ask("hi"))).await.text().contains("demo"));
    world.vault.set(Some(crate::support::KEY));
    assert_eq!(world.call(post("/v1/messages", ask("hi"))).await.text(), "{}");
    let seen: Value = serde_json::from_slice(&upstream.seen().await.body).unwrap();
    assert_eq!(seen["model"], "claude-big");
    // Asked for by name, the demo model still answers.
    let body = ask("hi").replace(r#""default""#, r#""demo""#);
    assert!(world.call(post("/v1/messages", body)).await.text().contains("demo"));
    assert!(!upstream.saw_more());
}

#[tokio::test]
async fn who_may_be_answered_by_the_demo_alone_reaches_no_provider_by_any_model() {
    let mut upstream = Upstream::start(vec![whole("200 OK", "", b"{}")]).await;
    let config = provider("anthropic", Protocol::Anthropic, &upstream.base);
    // Also where the demo is turned off for everybody else.
    let mut world = World::with(vec![config], |parts| parts.demo = None);
    world.demo_only = true;
    for model in ["default", "claude-big", "demo"] {
        let body = ask("hi").replace(r#""default""#, &format!("\"{model}\""));
        assert!(world.call(post("/v1/messages", body)).await.text().contains("demo"), "{model}");
    }
    assert!(!upstream.saw_more());
    world.demo_only = false;
    assert_eq!(world.call(post("/v1/messages", ask("hi"))).await.text(), "{}");
}

#[tokio::test]
async fn a_key_for_other_models_is_no_reason_for_the_demo() {
    let mut config = provider("anthropic", Protocol::Anthropic, "http://127.0.0.1:1");
    config.models = vec!["claude-*".to_owned()];
    let world = World::new(vec![config.clone()]);
    let answer = world.call(post("/v1/messages", r#"{"model":"llama"}"#)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["type"].as_str()),
        (404, Some("not_found_error"))
    );
    assert!(answer.text().contains("llama"));
    let without = World::with(vec![config], |parts| parts.demo = None);
    without.vault.set(None);
    let answer = without.call(post("/v1/messages", r#"{"model":"claude-x"}"#)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("smartbox secret set TEST_KEY"), "{}", answer.text());
}

#[tokio::test]
async fn preferred_it_answers_for_all() {
    let config = provider("anthropic", Protocol::Anthropic, "http://127.0.0.1:1");
    let world = World::with(vec![config], |parts| parts.preferred = Some("demo".to_owned()));
    assert!(world.call(post("/v1/messages", ask("hi"))).await.text().contains("demo"));
}

#[tokio::test]
async fn a_slow_answer_comes_word_by_word_and_can_be_interrupted() {
    let world = World::with(vec![], |parts| {
        parts.demo.as_mut().unwrap().slow = Duration::from_millis(20);
    });
    let (response, connection) = world.open(post("/v1/messages", ask("demo:slow 9999"))).await;
    let mut body = response.into_body();
    let mut seen = String::new();
    while !seen.contains("word3 ") {
        seen += &piece(&mut body).await;
    }
    assert!(!seen.contains("word9999"));
    world.busy.reaches(1).await;
    drop(body);
    connection.abort();
    world.only_row().await;
}

#[tokio::test]
async fn it_fails_as_asked() {
    let world = keyless(vec![]);
    let answer = world.call(post("/v1/messages", ask("demo:fail 529"))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"]["type"].as_str()),
        (529, Some("overloaded_error"))
    );
    assert_eq!(world.only_row().await.status, 529);
}
