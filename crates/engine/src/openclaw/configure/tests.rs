//! Tests of the merge.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::manifest;

fn settings() -> Settings {
    Settings {
        origins: vec!["http://pa.localhost:7777".into()],
        model_token: "box-token".into(),
        model: "demo/demo".into(),
        owner: "me@smartbox".into(),
    }
}

fn merge(current: Option<&str>) -> (Value, Configured) {
    let manifest = manifest::openclaw().unwrap();
    let out = configure(&manifest, current.map(str::as_bytes), &settings());
    (serde_json::from_slice(&out.bytes).unwrap(), out)
}

#[test]
fn a_new_box_gets_the_platform_part_and_nothing_runs_unasked() {
    let (doc, out) = merge(None);
    assert_eq!(doc["gateway"]["auth"]["mode"], "trusted-proxy");
    assert_eq!(doc["gateway"]["bind"], "loopback");
    assert_eq!(doc["models"]["providers"]["platform"]["baseUrl"], "http://127.0.0.1:27999");
    assert_eq!(doc["agents"]["defaults"]["model"]["primary"], "platform/demo/demo");
    assert_eq!(doc["agents"]["defaults"]["heartbeat"]["every"], "0m");
    assert_eq!(doc["browser"]["enabled"], false);
    assert_eq!(doc["browser"]["extraArgs"][0], "--proxy-server=http://127.0.0.1:3128");
    assert_eq!(doc["update"]["checkOnStart"], false);
    assert!(out.overridden.is_empty() && out.unreadable.is_none());
}

#[test]
fn the_owner_keeps_their_part() {
    let (doc, out) = merge(Some(
        "{ // mine\n agents: { list: [{ id: 'main', identity: { name: 'Ada' } }],
           defaults: { heartbeat: { every: '1h' } } }, channels: { telegram: { enabled: true } } }",
    ));
    assert_eq!(doc["agents"]["list"][0]["identity"]["name"], "Ada");
    assert_eq!(doc["agents"]["defaults"]["heartbeat"]["every"], "1h");
    assert_eq!(doc["channels"]["telegram"]["enabled"], true);
    assert!(out.overridden.is_empty(), "{:?}", out.overridden);
}

#[test]
fn keys_of_the_platform_are_overridden_and_named() {
    let (doc, out) = merge(Some(
        r#"{"gateway":{"port":1,"bind":"lan","tls":{"enabled":true},"reload":{"mode":"off"},
            "controlUi":{"basePath":"/x","allowedOrigins":["*"]}},"update":"always"}"#,
    ));
    assert_eq!(doc["gateway"]["port"], 18_789);
    assert_eq!(doc["gateway"]["reload"]["mode"], "off");
    assert!(doc["gateway"].get("tls").is_none());
    assert!(!doc["gateway"]["controlUi"]["allowedOrigins"].to_string().contains('*'));
    for key in ["gateway.port", "gateway.bind", "gateway.tls", "gateway.controlUi.basePath"] {
        assert!(out.overridden.iter().any(|k| k == key), "{key} in {:?}", out.overridden);
    }
    assert!(out.overridden.iter().any(|k| k.starts_with("update.")));
}

#[test]
fn a_second_merge_changes_nothing_and_keeps_comments() {
    let (_, first) = merge(None);
    let mut text = String::from_utf8(first.bytes).unwrap();
    text.insert_str(0, "// my notes\n");
    let manifest = manifest::openclaw().unwrap();
    let second = configure(&manifest, Some(text.as_bytes()), &settings());
    assert_eq!(String::from_utf8(second.bytes).unwrap(), text);
}

#[test]
fn the_model_follows_the_platform_unless_the_owner_has_another_provider() {
    let (doc, _) = merge(Some(
        r#"{"agents":{"defaults":{"model":"platform/old"}},
        "models":{"providers":{"platform":{"models":[{"id":"old"}]}}}}"#,
    ));
    assert_eq!(doc["agents"]["defaults"]["model"]["primary"], "platform/demo/demo");
    let (doc, _) = merge(Some(
        r#"{"agents":{"defaults":{"model":{"primary":"platform/old",
        "fallbacks":["x/y"]}}},"models":{"providers":{"platform":{"models":[{"id":"old"}]}}}}"#,
    ));
    assert_eq!(doc["agents"]["defaults"]["model"]["primary"], "platform/demo/demo");
    assert_eq!(doc["agents"]["defaults"]["model"]["fallbacks"][0], "x/y");
    let (doc, _) = merge(Some(r#"{"agents":{"defaults":{"model":{"primary":"mine/best"}}}}"#));
    assert_eq!(doc["agents"]["defaults"]["model"]["primary"], "mine/best");
}

#[test]
fn a_model_of_the_owners_choice_stays_and_joins_the_list() {
    let choice = r#"{"agents":{"defaults":{"model":{"primary":"platform/claude-x",
        "fallbacks":["platform/claude-y","mine/z"]}},"list":[{"id":"a","model":"platform/claude-x"}]}}"#;
    let (doc, out) = merge(Some(choice));
    assert_eq!(doc["agents"]["defaults"]["model"]["primary"], "platform/claude-x");
    let ids = |doc: &Value| {
        let list = doc["models"]["providers"]["platform"]["models"].as_array().unwrap().clone();
        list.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let listed = ids(&doc);
    assert_eq!(listed[0], "demo/demo", "the platform's comes first");
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), 3);
    assert!(listed.contains(&"claude-x".into()) && listed.contains(&"claude-y".into()));
    let (again, _) = merge(Some(std::str::from_utf8(&out.bytes).unwrap()));
    assert_eq!(again, doc, "a choice is not taken for the platform's at the next start");
    let many: Vec<String> = (0..500).map(|n| format!("platform/m{n}")).collect();
    let hostile = json!({"agents": {"x": many, "y": format!("platform/{}", "z".repeat(10_000))}});
    assert!(ids(&merge(Some(&hostile.to_string())).0).len() <= 65);
}

#[test]
fn an_unreadable_file_is_left_out_and_said() {
    for bad in ["{", "[]", "not json", "null"] {
        let (doc, out) = merge(Some(bad));
        assert_eq!(doc["gateway"]["mode"], "local", "{bad}");
        assert!(out.unreadable.is_some(), "{bad}");
    }
}

#[test]
fn a_hostile_file_does_not_end_the_platform() {
    let deep = "[".repeat(900_000);
    let hidden = format!("// x\r{}", "{a:".repeat(300_000));
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES));
    for bad in [deep, hidden, huge, "{\"a\":\"\\".into()] {
        assert!(merge(Some(&bad)).1.unreadable.is_some());
    }
    let manifest = manifest::openclaw().unwrap();
    assert!(configure(&manifest, Some(&[0xFF, 0xFE]), &settings()).unreadable.is_some());
}

#[test]
fn a_null_or_a_number_in_the_way_is_replaced() {
    let (doc, _) =
        merge(Some(r#"{"gateway":null,"models":7,"agents":[],"plugins":{"entries":3}}"#));
    assert_eq!(doc["gateway"]["mode"], "local");
    assert_eq!(doc["plugins"]["entries"]["browser"]["enabled"], false);
}

#[test]
fn the_password_is_not_the_model_token() {
    let (doc, _) = merge(None);
    let password = doc["gateway"]["auth"]["password"].as_str().unwrap();
    assert!(!password.contains("box-token") && password.len() == 64);
}

proptest! {
    #[test]
    fn any_text_gives_a_configuration_that_the_platform_owns(text in "\\PC{0,200}") {
        let (doc, _) = merge(Some(&text));
        prop_assert_eq!(&doc["gateway"]["bind"], "loopback");
    }

    #[test]
    fn nothing_that_parses_is_deeper_than_counted(text in "[\\[\\]{}:'\"/*\\\\\r\n\u{2028}a,]{0,60}") {
        if let Ok(value) = json5::from_str::<Value>(&text) {
            prop_assert!(nested(&value) <= depth(text.as_bytes()));
        }
    }
}

fn nested(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(nested).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(nested).max().unwrap_or(0),
        _ => 0,
    }
}
