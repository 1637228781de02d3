//! Tests of the parting into the owner's and the platform's.

use proptest::prelude::*;
use smartbox_core::config::merge::merge;
use smartbox_core::engine::{Manifest, Settings};

use super::*;
use crate::manifest;
use crate::openclaw::configure::configure;

fn settings() -> Settings {
    Settings {
        origins: vec!["http://pa.localhost:7777".into()],
        model_token: "box-token".into(),
        model: "default".into(),
        owner: "owner".into(),
    }
}

fn openclaw() -> Manifest {
    manifest::openclaw().unwrap()
}

fn effective(owner: &Value) -> Value {
    let made = configure(&openclaw(), Some(owner.to_string().as_bytes()), &settings());
    serde_json::from_slice(&made.bytes).unwrap()
}

#[test]
fn what_the_platform_writes_into_a_new_box_is_nothing_of_the_owners() {
    assert_eq!(owners(&effective(&json!({}))), json!({}));
}

#[test]
fn the_owners_part_comes_back_as_it_was_written() {
    for owner in [
        json!({"agents": {"defaults": {"model": {"primary": "platform/claude-x"}}}}),
        json!({"agents": {"defaults": {"model": "mine/best", "heartbeat": {"every": "1h"}}}}),
        json!({"agents": {"defaults": {"model": {"fallbacks": ["platform/a"]}}}}),
        json!({"gateway": {"reload": {"mode": "off"}}, "channels": {"telegram": {"botToken": "1:x"}}}),
        json!({"models": {"providers": {"mine": {"baseUrl": "http://x"}}, "mode": "merge"}}),
        json!({"browser": {"enabled": true}, "plugins": {"entries": {"a.b": {"enabled": false}}}}),
    ] {
        assert_eq!(owners(&effective(&owner)), owner);
    }
}

#[test]
fn keys_of_the_platform_and_notes_of_the_engine_are_left_out() {
    let whole = json!({
        "gateway": {"port": 1, "auth": {"token": "t"}, "reload": {"mode": "off"}, "tls": {}},
        "meta": {"lastTouchedVersion": "1"}, "$schema": "x", "update": {"auto": {"enabled": true}},
    });
    assert_eq!(owners(&whole), json!({"gateway": {"reload": {"mode": "off"}}}));
    assert_eq!(owners(&json!([1])), json!({}));
}

#[test]
fn every_key_of_the_platform_is_named() {
    let keys = platforms();
    for key in ["gateway.port", "gateway.auth", "models.providers.platform", "gateway.tls"] {
        assert!(keys.iter().any(|k| k == key), "{key} in {keys:?}");
    }
}

#[test]
fn no_credential_of_the_platform_is_shown() {
    let whole = effective(&json!({}));
    let password = whole["gateway"]["auth"]["password"].as_str().unwrap();
    let shown = masked(whole.clone()).to_string();
    assert!(!shown.contains(password) && !shown.contains("box-token"), "{shown}");
}

#[test]
fn a_plain_model_is_the_platforms_and_one_with_an_own_provider_is_the_owners() {
    let doc = json!({"models": {"providers": {"mine": {}}}});
    let primary = |patch: Value| {
        let patch = models::meant(&doc, patch);
        assert!(patch.get("model").is_none());
        patch["agents"]["defaults"]["model"]["primary"].clone()
    };
    assert_eq!(primary(json!({"model": "claude-x"})), "platform/claude-x");
    assert_eq!(primary(json!({"model": "anthropic/claude-x"})), "platform/anthropic/claude-x");
    assert_eq!(primary(json!({"model": "platform/claude-x"})), "platform/claude-x");
    assert_eq!(primary(json!({"model": "mine/x"})), "mine/x");
    assert_eq!(primary(json!({"model": null})), Value::Null);
    assert_eq!(primary(json!({"model": "default"})), Value::Null);
    assert_eq!(primary(json!({"model": 7})), 7);
    let engines_own =
        json!({"model": "a", "agents": {"defaults": {"model": {"primary": "mine/b"}}}});
    assert_eq!(primary(engines_own), "mine/b");
    let both =
        models::meant(&doc, json!({"model": {"primary": "a", "fallbacks": ["mine/b", "c"]}}));
    let model = &both["agents"]["defaults"]["model"];
    assert_eq!(*model, json!({"primary": "platform/a", "fallbacks": ["mine/b", "platform/c"]}));
    let untouched = json!({"agents": {"list": []}});
    assert_eq!(models::meant(&doc, untouched.clone()), untouched);
}

#[test]
fn a_choice_that_is_taken_back_follows_the_platform_again() {
    let mut owner = json!({"agents": {"defaults": {"model": {"primary": "platform/claude-x"}}}});
    let patch = models::meant(&owner, json!({"model": null}));
    merge(&mut owner, patch);
    let made = effective(&owner);
    assert_eq!(made["agents"]["defaults"]["model"]["primary"], "platform/default");
    assert_eq!(owners(&made), json!({}));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|b| json!(b)),
        (0_i64..3).prop_map(|n| json!(n)),
        "(platform/)?[a-c]{0,2}".prop_map(|s| json!(s)),
    ];
    let keys = prop::sample::select(vec![
        "gateway",
        "agents",
        "defaults",
        "model",
        "primary",
        "models",
        "providers",
        "platform",
        "mode",
        "controlUi",
        "auth",
        "update",
        "telemetry",
        "browser",
        "enabled",
        "id",
        "x",
    ]);
    leaf.prop_recursive(5, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((keys.clone(), inner), 0..4).prop_map(|pairs| {
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

proptest! {
    /// Whatever stands in the file: parting it and merging it again gives what merging it gives.
    #[test]
    fn parting_loses_nothing(doc in any_json()) {
        let doc = if doc.is_object() { doc } else { json!({"agents": doc}) };
        let whole = effective(&doc);
        prop_assert_eq!(effective(&owners(&whole)), whole.clone());
        prop_assert_eq!(owners(&effective(&owners(&doc))), owners(&whole));
    }
}
