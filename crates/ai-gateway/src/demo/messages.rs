//! The demo model in Anthropic's words.

use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::Said;
use crate::demo::script::{Script, words};
use crate::demo::think::Plan;

/// The whole answer.
pub(crate) fn whole(said: &Said<'_>) -> Value {
    let content = match said.plan {
        Plan::Call { name, input } => {
            json!({ "type": "tool_use", "id": call_id(said), "name": name, "input": input })
        }
        Plan::Say(text) | Plan::Drag(text) => json!({ "type": "text", "text": text }),
        Plan::Fail(_) => Value::Null,
    };
    message(said, &json!([content]), &json!(stop(said)), said.output)
}

/// The answer as a stream of events.
pub(crate) fn stream(said: &Said<'_>) -> Script {
    let mut script = Script::default();
    let mut now = |data: Value| script.event(Duration::ZERO, &data);
    now(json!({ "type": "message_start", "message": message(said, &json!([]), &Value::Null, 1) }));
    let (block, deltas): (Value, Vec<Value>) = match said.plan {
        Plan::Call { name, input } => (
            json!({ "type": "tool_use", "id": call_id(said), "name": name, "input": {} }),
            vec![json!({ "type": "input_json_delta", "partial_json": input.to_string() })],
        ),
        Plan::Say(text) | Plan::Drag(text) => (
            json!({ "type": "text", "text": "" }),
            words(text).map(|word| json!({ "type": "text_delta", "text": word })).collect(),
        ),
        Plan::Fail(_) => (Value::Null, Vec::new()),
    };
    now(json!({ "type": "content_block_start", "index": 0, "content_block": block }));
    now(json!({ "type": "ping" }));
    for delta in deltas {
        let data = json!({ "type": "content_block_delta", "index": 0, "delta": delta });
        script.event(said.pause, &data);
    }
    let mut now = |data: Value| script.event(Duration::ZERO, &data);
    now(json!({ "type": "content_block_stop", "index": 0 }));
    now(json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop(said), "stop_sequence": null },
        "usage": { "output_tokens": said.output },
    }));
    now(json!({ "type": "message_stop" }));
    script
}

fn message(said: &Said<'_>, content: &Value, stop_reason: &Value, output: usize) -> Value {
    json!({
        "id": format!("msg_demo_{}", said.id),
        "type": "message",
        "role": "assistant",
        "model": "demo",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": {
            "input_tokens": said.input,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output,
        },
    })
}

fn call_id(said: &Said<'_>) -> String {
    format!("toolu_demo_{}", said.id)
}

fn stop(said: &Said<'_>) -> &'static str {
    if matches!(said.plan, Plan::Call { .. }) { "tool_use" } else { "end_turn" }
}
