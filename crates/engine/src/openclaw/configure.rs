//! The platform's part of the engine's configuration, merged into the owner's. Pure.
//!
//! Three sorts of keys: *owned* ones are the platform's whatever the file says (who may connect,
//! where models are, nothing phones home); *defaults* are written where the owner has said nothing
//! and stand for a choice that spends tokens or memory unasked; everything else is the owner's.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use smartbox_core::engine::{Configured, Manifest, Settings};

use super::nesting::depth;
use crate::identity;

/// The largest configuration that is read; the engine's own are a few kilobytes.
const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting that is read.
const MAX_DEPTH: usize = 64;
/// The model provider that leads to the AI gateway.
const PROVIDER: &str = "platform";

/// A key that is the platform's.
struct Owned {
    path: &'static [&'static str],
    value: Value,
    /// Whether it changes by itself, so that another value in the file is no choice of the owner's.
    varies: bool,
}

pub(super) fn configure(
    manifest: &Manifest,
    current: Option<&[u8]>,
    settings: &Settings,
) -> Configured {
    let (before, unreadable) = match current.map(read) {
        None => (None, None),
        Some(Ok(map)) => (Some(Value::Object(map)), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let mut doc = before.clone().unwrap_or_else(|| json!({}));
    let mut overridden = Vec::new();
    for key in owned(manifest, settings) {
        let differs = put(&mut doc, key.path, Some(key.value));
        if differs && !key.varies {
            overridden.push(key.path.join("."));
        }
    }
    for path in ABSENT {
        if put(&mut doc, path, None) {
            overridden.push(path.join("."));
        }
    }
    for (path, value) in defaults() {
        if look(&doc, path).is_none() {
            put(&mut doc, path, Some(value));
        }
    }
    choose_model(&mut doc, settings);
    let bytes = match current {
        // Nothing to change: comments and order stay as they are.
        Some(bytes) if before.as_ref() == Some(&doc) => bytes.to_vec(),
        _ => pretty(&doc),
    };
    Configured { bytes, overridden, unreadable }
}

fn read(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    if bytes.len() > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    if depth(bytes) > MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH}"));
    }
    match json5::from_str(text).map_err(|e| e.to_string())? {
        Value::Object(map) => Ok(map),
        _ => Err("it is not an object".into()),
    }
}

/// Keys that must not be set: the edge serves the engine at the root and ends TLS itself.
const ABSENT: &[&[&str]] = &[&["gateway", "controlUi", "basePath"], &["gateway", "tls"]];

fn owned(manifest: &Manifest, settings: &Settings) -> Vec<Owned> {
    let fixed = |path, value| Owned { path, value, varies: false };
    let varying = |path, value| Owned { path, value, varies: true };
    vec![
        fixed(&["gateway", "mode"], json!("local")),
        fixed(&["gateway", "port"], json!(manifest.port)),
        fixed(&["gateway", "bind"], json!("loopback")),
        fixed(&["gateway", "trustedProxies"], json!(["127.0.0.1"])),
        varying(&["gateway", "auth"], auth(settings)),
        varying(&["gateway", "controlUi", "allowedOrigins"], origins(settings)),
        fixed(&["gateway", "tailscale", "mode"], json!("off")),
        varying(&["models", "providers", PROVIDER], provider(manifest, settings)),
        fixed(&["models", "catalogRefresh", "enabled"], json!(false)),
        fixed(&["update", "checkOnStart"], json!(false)),
        fixed(&["update", "auto", "enabled"], json!(false)),
        fixed(&["telemetry", "enabled"], json!(false)),
        fixed(&["discovery", "mdns", "mode"], json!("off")),
    ]
}

/// Identity by headers. A browser's device is approved with a guest's rights; the owner's and the
/// platform's names carry the rest.
fn auth(settings: &Settings) -> Value {
    let all = json!(["operator.admin", "operator.approvals", "operator.pairing"]);
    json!({
        "mode": "trusted-proxy",
        "identityScopes": { identity::PLATFORM: all, settings.owner.as_str(): all },
        "password": password(settings),
        "trustedProxy": {
            "userHeader": identity::USER,
            "requiredHeaders": [identity::REQUIRED],
            "allowLoopback": true,
            "deviceAutoApprove": {
                "enabled": true,
                "scopes": [
                    "operator.read", "operator.write", "operator.approvals", "operator.questions",
                ],
            },
        },
    })
}

/// For programs inside the box that speak to the engine directly, like its own command line; good
/// for nothing else, since the edge marks every request as forwarded.
fn password(settings: &Settings) -> String {
    let mut hash = Sha256::new();
    hash.update(b"smartbox engine password\0");
    hash.update(settings.model_token.as_bytes());
    hex::encode(hash.finalize())
}

fn origins(settings: &Settings) -> Value {
    let ours = std::iter::once(identity::ORIGIN);
    ours.chain(settings.origins.iter().map(String::as_str)).collect()
}

/// The model's id as the AI gateway knows it.
fn model_id(settings: &Settings) -> &str {
    settings.model.strip_prefix("platform/").unwrap_or(&settings.model)
}

fn provider(manifest: &Manifest, settings: &Settings) -> Value {
    let id = model_id(settings);
    json!({
        "baseUrl": format!("http://127.0.0.1:{}", manifest.model_port),
        "apiKey": settings.model_token,
        "api": "anthropic-messages",
        "models": [{
            "id": id, "name": id, "reasoning": false, "input": ["text", "image"],
            // The platform counts the cost; the engine need not.
            "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 },
            "contextWindow": 200_000, "maxTokens": 8_192,
        }],
    })
}

/// What would spend tokens, memory or a connection unasked is off until the owner says otherwise.
fn defaults() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["agents", "defaults", "heartbeat", "every"], json!("0m")),
        (&["plugins", "entries", "memory-core", "config", "dreaming", "enabled"], json!(false)),
        (&["skills", "workshop", "autonomous", "mode"], json!("off")),
        (&["browser", "enabled"], json!(false)),
        (&["plugins", "entries", "browser", "enabled"], json!(false)),
        (&["plugins", "entries", "bonjour", "enabled"], json!(false)),
        (&["gateway", "controlUi", "communityInvite"], json!(false)),
        (&["gateway", "controlUi", "automaticallyFetchFavicons"], json!(false)),
        (&["models", "mode"], json!("replace")),
        // Its own log would be in /tmp, which is memory.
        (&["logging", "file"], json!("${OPENCLAW_STATE_DIR}/logs/openclaw.log")),
        (&["logging", "maxFileBytes"], json!(5_000_000)),
    ]
}

/// The platform's model, unless the owner chose one of a provider of their own.
fn choose_model(doc: &mut Value, settings: &Settings) {
    const MODEL: &[&str] = &["agents", "defaults", "model"];
    let ours = |name: &str| name.starts_with(&format!("{PROVIDER}/"));
    let wanted = json!(format!("{PROVIDER}/{}", model_id(settings)));
    match look(doc, MODEL) {
        Some(Value::String(name)) if !ours(name) => {}
        Some(Value::Object(map)) => {
            let theirs = map.get("primary").and_then(Value::as_str).is_some_and(|n| !ours(n));
            if !theirs {
                put(doc, &["agents", "defaults", "model", "primary"], Some(wanted));
            }
        }
        _ => {
            put(doc, MODEL, Some(json!({ "primary": wanted })));
        }
    }
}

fn look<'a>(doc: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(doc, |at, key| at.get(key))
}

/// Sets or removes a key; true if another value was there.
fn put(doc: &mut Value, path: &[&str], value: Option<Value>) -> bool {
    let Some((last, way)) = path.split_last() else { return false };
    let mut differs = false;
    let mut at = doc;
    for key in way {
        let map = object(at, &mut differs);
        if value.is_none() && !map.contains_key(*key) {
            return false;
        }
        at = map.entry(*key).or_insert_with(|| json!({}));
    }
    if value.is_none() && !at.is_object() {
        return false;
    }
    let map = object(at, &mut differs);
    match value {
        None => map.remove(*last).is_some(),
        Some(value) => {
            let there = map.get(*last);
            differs |= there.is_some_and(|there| *there != value);
            map.insert((*last).to_owned(), value);
            differs
        }
    }
}

fn object<'a>(at: &'a mut Value, differs: &mut bool) -> &'a mut Map<String, Value> {
    if !at.is_object() {
        *differs = true;
        *at = json!({});
    }
    match at {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}

fn pretty(doc: &Value) -> Vec<u8> {
    let mut out = format!("{doc:#}").into_bytes();
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests;
