//! The demo model: answers while there is no key, so that a newcomer sees a whole conversation
//! offline, tool use included. It is a handful of rules, deterministic, and says so itself.

mod chat;
mod messages;
mod script;
mod talk;
mod text;
mod think;

use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::refuse::Refusal;
use crate::call::relay::Bytestream;
use crate::call::route::Route;
use crate::demo::talk::Talk;
use crate::demo::think::{Plan, think};
use crate::provider::{Protocol, duration};

/// How fast the demo model speaks. Written like `20ms`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DemoConfig {
    /// Before each word.
    #[serde(deserialize_with = "duration")]
    pub pause: Duration,
    /// Before each word of `demo:slow N`.
    #[serde(deserialize_with = "duration")]
    pub slow: Duration,
}

impl Default for DemoConfig {
    fn default() -> Self {
        Self { pause: Duration::ZERO, slow: Duration::from_millis(250) }
    }
}

/// An answer of the demo model, and what both wires need to know of it.
struct Said<'a> {
    plan: &'a Plan,
    /// Differs between requests, and is the same for the same one.
    id: String,
    input: usize,
    output: usize,
    pause: Duration,
}

/// Answers a request. `body` is all of it.
pub(crate) fn answer(
    config: &DemoConfig,
    route: Route,
    body: &[u8],
) -> Result<Response<Bytestream>, Refusal> {
    if let Route::Models(protocol) = route {
        return Ok(script::whole(&models(protocol)));
    }
    let request: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::Body(format!("it is not JSON: {error}")))?;
    let input = body.len().div_ceil(4);
    let talk = match route {
        Route::CountTokens => return Ok(script::whole(&json!({ "input_tokens": input }))),
        Route::Messages => talk::messages(&request),
        Route::Chat => talk::chat(&request),
        Route::Responses | Route::Models(_) => return Err(Refusal::DemoOnly),
    };
    let plan = think(&talk);
    let (output, pause) = match &plan {
        Plan::Fail(status) => return Err(Refusal::Asked(*status)),
        Plan::Say(text) => (text.len().div_ceil(4), config.pause),
        Plan::Drag(text) => (text.len().div_ceil(4), config.slow),
        Plan::Call { input, .. } => (input.to_string().len().div_ceil(4), config.pause),
    };
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    let said = Said { plan: &plan, id: format!("{:016x}", hasher.finish()), input, output, pause };
    Ok(speak(route, &talk, &said))
}

fn speak(route: Route, talk: &Talk, said: &Said<'_>) -> Response<Bytestream> {
    match (route, talk.stream) {
        (Route::Chat, false) => script::whole(&chat::whole(said)),
        (Route::Chat, true) => chat::stream(said, talk.include_usage).play(),
        (_, false) => script::whole(&messages::whole(said)),
        (_, true) => messages::stream(said).play(),
    }
}

fn models(protocol: Protocol) -> Value {
    match protocol {
        Protocol::Anthropic => json!({
            "data": [{
                "type": "model", "id": "demo", "display_name": "Demo",
                "created_at": "2026-01-01T00:00:00Z",
            }],
            "has_more": false, "first_id": "demo", "last_id": "demo",
        }),
        Protocol::Openai => json!({
            "object": "list",
            "data": [{ "id": "demo", "object": "model", "created": 0, "owned_by": "smartbox" }],
        }),
    }
}

#[cfg(test)]
mod tests;
