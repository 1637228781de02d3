//! A model of its own: Anthropic Messages, streamed. It answers with the words of the form
//! `word-…` that people have said so far, so that memory shows, and holds an answer back while told.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// The model. Dropping it closes its port.
pub struct Model {
    port: u16,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    /// Of each call: the model that was asked for, and what the newest person's message was.
    calls: Mutex<Vec<(String, String)>>,
    count: watch::Sender<usize>,
    held: watch::Sender<bool>,
}

impl Model {
    /// Starts it on a free port.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            count: watch::Sender::new(0),
            held: watch::Sender::new(false),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, _task: AbortOnDropHandle::new(task) })
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Holds answers back, or lets them go.
    pub fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// How many calls were about a message with this in it.
    pub fn calls_about(&self, text: &str) -> usize {
        let calls = self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|(_, call)| call.contains(text)).count()
    }

    /// The model that the newest call about it asked for.
    pub fn asked_for(&self, text: &str) -> Option<String> {
        let calls = self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().rev().find(|(_, call)| call.contains(text)).map(|(model, _)| model.clone())
    }

    /// Waits until a call about it has come.
    pub async fn called_about(&self, text: &str) {
        let mut count = self.shared.count.subscribe();
        // The sender lives as long as we do.
        let _ = count.wait_for(|_| self.calls_about(text) > 0).await;
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let body = Limited::new(request.into_body(), 32 << 20).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let said = people(&body);
    let newest = said.last().cloned().unwrap_or_default();
    let model = body["model"].as_str().unwrap_or_default().to_owned();
    shared.calls.lock().unwrap_or_else(PoisonError::into_inner).push((model, newest));
    shared.count.send_modify(|n| *n += 1);
    let _ = shared.held.subscribe().wait_for(|held| !held).await;
    let mut answer = Response::new(Full::new(Bytes::from(stream(&words(&said)))));
    let kind = http::HeaderValue::from_static("text/event-stream");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    answer
}

/// What people have said, without what the engine adds for the model alone.
fn people(body: &Value) -> Vec<String> {
    let text = |content: &Value| match content {
        Value::String(text) => text.clone(),
        parts => parts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str())
            .collect::<Vec<_>>()
            .join("\n"),
    };
    let messages = body["messages"].as_array().into_iter().flatten();
    messages
        .filter(|message| message["role"] == "user")
        .map(|message| text(&message["content"]))
        .filter(|text| !text.contains("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT"))
        .collect()
}

fn words(said: &[String]) -> String {
    let mut known: Vec<&str> = Vec::new();
    for text in said {
        let mut rest = text.as_str();
        while let Some(at) = rest.find("word-") {
            let word = &rest[at..];
            let end =
                word.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(word.len());
            if !known.contains(&&word[..end]) {
                known.push(&word[..end]);
            }
            rest = &word[end..];
        }
    }
    format!("I know {}.", known.join(" and "))
}

fn stream(text: &str) -> String {
    let mut out = String::new();
    let mut event = |data: Value| {
        out.push_str(&format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or("")));
    };
    event(json!({ "type": "message_start", "message": {
        "id": "msg_check", "type": "message", "role": "assistant", "model": "check",
        "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": { "input_tokens": 10, "output_tokens": 1 },
    }}));
    event(json!({ "type": "content_block_start", "index": 0,
                  "content_block": { "type": "text", "text": "" } }));
    for word in text.split_inclusive(' ') {
        event(json!({ "type": "content_block_delta", "index": 0,
                      "delta": { "type": "text_delta", "text": word } }));
    }
    event(json!({ "type": "content_block_stop", "index": 0 }));
    event(json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" },
                  "usage": { "output_tokens": 9 } }));
    event(json!({ "type": "message_stop" }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_once_each() {
        let said = ["say word-a, word-b".to_owned(), "word-a again".to_owned()];
        assert_eq!(words(&said), "I know word-a and word-b.");
    }
}
