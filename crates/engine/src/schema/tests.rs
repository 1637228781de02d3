//! Tests of the check, with puppet's schema and with parts that look like the real one's.

use serde_json::json;

use super::*;

const PUPPET: &str = include_str!("../../manifests/puppet.schema.json");

async fn faults(document: Value) -> Vec<Fault> {
    Schema::new(Source::Text(PUPPET)).check(document).await.unwrap()
}

#[tokio::test]
async fn an_unknown_key_is_named_with_the_nearest() {
    let found = faults(json!({"agents": {"defaults": {"modle": "a/b"}}, "zzzzzz": 1})).await;
    let told: Vec<_> = found.iter().map(|f| (f.path.as_str(), f.hint.as_deref())).collect();
    assert_eq!(told, [("agents.defaults.modle", Some("did you mean `model`?")), ("zzzzzz", None)]);
}

#[tokio::test]
async fn a_wrong_value_is_named_and_never_repeated() {
    let found = faults(json!({
        "gateway": {"port": "canary", "mode": "canary"},
        "logging": {"level": "canary"},
        "agents": {"list": [{"id": "a"}, {"id": {"canary": 1}}], "defaults": {"model": ["canary"]}},
        "channels": {"telegram": {"botToken": {"canary": true}}},
    }))
    .await;
    let paths: Vec<&str> = found.iter().map(|f| f.path.as_str()).collect();
    for path in [
        "agents.defaults.model",
        "agents.list[1].id",
        "channels.telegram.botToken",
        "gateway.mode",
        "gateway.port",
        "logging.level",
    ] {
        assert!(paths.contains(&path), "{path} in {paths:?}");
    }
    assert!(!format!("{found:?}").contains("canary"), "{found:?}");
    let mode = found.iter().find(|f| f.path == "gateway.mode").unwrap();
    assert_eq!(mode.message, r#"it must be one of "local", "remote""#);
}

#[tokio::test]
async fn what_the_engine_fills_in_need_not_be_written() {
    assert_eq!(faults(json!({"channels": {"telegram": {"enabled": true}}})).await, []);
}

#[tokio::test]
async fn a_document_full_of_faults_is_told_in_part() {
    let many: serde_json::Map<String, Value> =
        (0..10_000).map(|n| (format!("key{n}"), json!(n))).collect();
    assert_eq!(faults(Value::Object(many)).await.len(), 50);
    let long = "x".repeat(500_000);
    assert_eq!(faults(json!({ long: 1 })).await[0].hint, None);
}

#[test]
fn parts_of_plugins_keep_their_own_definitions_and_patterns_are_translated() {
    let text = json!({
        "type": "object",
        "properties": {"plugins": {"properties": {"imap": {
            "type": "object",
            "properties": {"account": {"$ref": "#/$defs/account"}, "path": {"type": "string", "pattern": "^/(?!/)[^\\0]*$"}},
            "$defs": {"account": {"type": "object", "properties": {"title": {"type": "string"}}, "additionalProperties": false}},
        }}}},
    });
    let ready = compile(text.to_string().as_bytes()).unwrap();
    let of = |doc: Value| faults::of(&ready.validator, &ready.document, &doc);
    assert!(of(json!({"plugins": {"imap": {"account": {"title": "x"}, "path": "/a"}}})).is_empty());
    let bad = of(json!({"plugins": {"imap": {"account": {"tilte": "x"}, "path": "//a"}}}));
    assert_eq!(bad.len(), 2);
    assert_eq!(bad[0].hint.as_deref(), Some("did you mean `title`?"));
}

#[test]
fn a_pattern_that_nobody_understands_does_not_cost_the_check() {
    let text = json!({"properties": {"a": {"type": "string", "pattern": "(?<"}}});
    let ready = compile(text.to_string().as_bytes()).unwrap();
    assert_eq!(faults::of(&ready.validator, &ready.document, &json!({"a": 1})).len(), 1);
}

#[tokio::test]
async fn a_schema_that_is_none_is_said() {
    for bad in ["", "{", "[]", r#"{"type": 7}"#] {
        let schema = Schema::new(Source::Text(bad));
        assert!(schema.check(json!({})).await.is_err() || bad == "[]", "{bad}");
    }
}

/// Needs an installed engine: its directory in `SMARTBOX_TEST_ENGINE`.
#[tokio::test]
async fn the_real_schema_is_understood_and_takes_what_the_platform_writes() {
    let Some(dir) = std::env::var_os("SMARTBOX_TEST_ENGINE") else {
        eprintln!(
            "NOT CHECKED: OpenClaw's schema. Name an installed engine in SMARTBOX_TEST_ENGINE."
        );
        return;
    };
    let schema = Schema::new(Source::Installed(dir.into()));
    let settings = smartbox_core::engine::Settings {
        origins: vec!["http://pa.localhost:7777".into()],
        model_token: "t".into(),
        model: "default".into(),
        owner: "owner".into(),
    };
    let manifest = crate::manifest::openclaw().unwrap();
    let owner = br#"{"agents":{"defaults":{"model":{"primary":"platform/claude-x"}}},
        "channels":{"telegram":{"enabled":false,"botToken":"1:x"}}}"#;
    let made = crate::openclaw::configure_for_tests(&manifest, Some(owner), &settings);
    let document = serde_json::from_slice(&made.bytes).unwrap();
    assert_eq!(schema.check(document).await.unwrap(), []);
    let bad = json!({"agents": {"defaults": {"modle": 1}}, "gateway": {"reload": {"mode": "hot"}}});
    let found = schema.check(bad).await.unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].hint.as_deref(), Some("did you mean `model`?"));
    assert!(found[1].message.contains("hybrid"), "{found:?}");
}
