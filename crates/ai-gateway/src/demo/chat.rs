//! The demo model in the words of OpenAI's chat completions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::Said;
use crate::demo::script::{Script, words};
use crate::demo::think::Plan;

/// The whole answer.
pub(crate) fn whole(said: &Said<'_>) -> Value {
    let message = match said.plan {
        Plan::Call { name, input } => json!({
            "role": "assistant", "content": null, "tool_calls": [call(said, name, input)],
        }),
        Plan::Say(text) | Plan::Drag(text) => json!({ "role": "assistant", "content": text }),
        Plan::Fail(_) => Value::Null,
    };
    let choice = json!({ "index": 0, "message": message, "finish_reason": finish(said) });
    let mut whole = envelope(said, "chat.completion", &json!([choice]));
    whole["usage"] = usage(said);
    whole
}

/// The answer as a stream of chunks.
pub(crate) fn stream(said: &Said<'_>, include_usage: bool) -> Script {
    let mut script = Script::default();
    let mut chunk = |pause: Duration, delta: Value, finish: Value| {
        let choices = json!([{ "index": 0, "delta": delta, "finish_reason": finish }]);
        let chunk = envelope(said, "chat.completion.chunk", &choices);
        script.data(pause, &chunk.to_string());
    };
    chunk(Duration::ZERO, json!({ "role": "assistant", "content": "" }), Value::Null);
    match said.plan {
        Plan::Call { name, input } => {
            let mut call = call(said, name, input);
            call["index"] = 0.into();
            chunk(said.pause, json!({ "tool_calls": [call] }), Value::Null);
        }
        Plan::Say(text) | Plan::Drag(text) => {
            for word in words(text) {
                chunk(said.pause, json!({ "content": word }), Value::Null);
            }
        }
        Plan::Fail(_) => {}
    }
    chunk(Duration::ZERO, json!({}), finish(said).into());
    if include_usage {
        let mut last = envelope(said, "chat.completion.chunk", &json!([]));
        last["usage"] = usage(said);
        script.data(Duration::ZERO, &last.to_string());
    }
    script.data(Duration::ZERO, "[DONE]");
    script
}

fn envelope(said: &Said<'_>, object: &str, choices: &Value) -> Value {
    json!({
        "id": format!("chatcmpl-demo-{}", said.id),
        "object": object,
        "created": 0,
        "model": "demo",
        "choices": choices,
    })
}

fn call(said: &Said<'_>, name: &str, input: &Value) -> Value {
    json!({
        "id": format!("call_demo_{}", said.id),
        "type": "function",
        "function": { "name": name, "arguments": input.to_string() },
    })
}

fn finish(said: &Said<'_>) -> &'static str {
    if matches!(said.plan, Plan::Call { .. }) { "tool_calls" } else { "stop" }
}

fn usage(said: &Said<'_>) -> Value {
    json!({
        "prompt_tokens": said.input,
        "completion_tokens": said.output,
        "total_tokens": said.input + said.output,
    })
}
