use super::*;

/// The plan for a conversation in Anthropic's words: every other message is the person's.
fn plan(messages: &[&str], tools: &Value) -> Plan {
    let mut list: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let role = if at % 2 == 0 { "user" } else { "assistant" };
            json!({ "role": role, "content": [{ "type": "text", "text": text }] })
        })
        .collect();
    list.push(json!({
        "role": "user",
        "content": "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nmy name is Internal\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>",
    }));
    think(&talk::messages(&json!({ "messages": list, "tools": tools })))
}

fn said(messages: &[&str]) -> String {
    match plan(messages, &json!([])) {
        Plan::Say(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_says_plainly_what_it_is_and_how_to_do_better() {
    for text in ["hello", "[Mon 2026-11-23 13:13 UTC] hi there", "Explain monads.", "¿Qué?", "help"]
    {
        let answer = said(&[text]);
        assert!(answer.contains("demo model"), "{answer}");
        assert!(answer.contains("smartbox secret set ANTHROPIC_API_KEY"), "{answer}");
    }
}

#[test]
fn it_remembers_within_the_conversation() {
    let first = "[Mon 2026-11-23 13:13 UTC] Hi, my name is Ada Lovelace, and I like tea.";
    assert!(said(&[first]).contains("Ada Lovelace"));
    let name = said(&[first, "ok", "What is my name?"]);
    assert_eq!(name, "Your name is Ada Lovelace.");
    let before = said(&[
        first,
        "ok",
        "the blue door",
        "ok",
        "[Mon 2026-11-23 13:20 UTC] What did I say before?",
    ]);
    assert!(before.contains("I like tea") && before.contains("the blue door"), "{before}");
    assert!(!before.contains("2026-11-23") && !before.contains("What did I"), "{before}");
    assert!(said(&["what is my name?"]).contains("not told me"));
    assert!(said(&["what did I say?"]).contains("first thing"));
}

#[test]
fn a_quoted_stamp_is_left_out_of_the_answer() {
    assert_eq!(said(&["say: see [Mon 2026-11-23 13:13 UTC] now"]), "see now");
}

#[test]
fn a_command_is_run_with_the_engines_tool() {
    let tools = json!([
        { "name": "edit", "input_schema": {} },
        { "name": "exec", "input_schema": { "properties": { "command": { "type": "string" } }, "required": ["command"] } },
    ]);
    let expected = Plan::Call { name: "exec".to_owned(), input: json!({ "command": "uname -a" }) };
    for text in ["run: uname -a", "[Mon 2026-11-23 13:13 UTC] Run: `uname -a`", "run `uname -a`"] {
        assert_eq!(plan(&[text], &tools), expected, "{text}");
    }
    assert!(said(&["run: uname -a"]).contains("no tool"));
    assert!(matches!(plan(&["run:"], &tools), Plan::Say(_)));
}

#[test]
fn a_tools_result_is_reported_in_both_wires() {
    let anthropic = talk::messages(&json!({ "messages": [
        { "role": "user", "content": "run: uname" },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "t", "name": "exec", "input": { "command": "uname" } }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "t", "content": [{ "type": "text", "text": "Linux\n" }] }] },
        { "role": "user", "content": "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> x" },
    ]}));
    let openai = talk::chat(&json!({ "messages": [
        { "role": "system", "content": "you are" },
        { "role": "user", "content": [{ "type": "text", "text": "run: uname" }] },
        { "role": "assistant", "content": null, "tool_calls": [{ "id": "c", "function": { "name": "exec", "arguments": "{\"command\":\"uname\"}" } }] },
        { "role": "tool", "tool_call_id": "c", "content": "Linux\n" },
    ]}));
    let expected =
        Plan::Say("I ran `uname` in your box. It answered:\n\n```\nLinux\n```".to_owned());
    assert_eq!(think(&anthropic), expected);
    assert_eq!(think(&openai), expected);
}

#[test]
fn the_knobs_for_tests_work() {
    assert_eq!(plan(&["please demo:fail 529"], &json!([])), Plan::Fail(529));
    assert_eq!(plan(&["demo:fail 7"], &json!([])), Plan::Fail(500));
    assert_eq!(plan(&["demo:slow 3"], &json!([])), Plan::Drag("word1 word2 word3".to_owned()));
}

#[test]
fn hostile_requests_do_not_break_it() {
    for body in [
        "{}",
        r#"{"messages":7}"#,
        r#"{"messages":[1,{"role":3,"content":{"a":[]}}]}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
    ] {
        let config = DemoConfig::default();
        assert!(answer(&config, Route::Messages, body.as_bytes()).is_ok(), "{body}");
        assert!(answer(&config, Route::Chat, body.as_bytes()).is_ok(), "{body}");
    }
    assert!(answer(&DemoConfig::default(), Route::Chat, b"{").is_err());
    assert!(answer(&DemoConfig::default(), Route::Responses, b"{}").is_err());
}
