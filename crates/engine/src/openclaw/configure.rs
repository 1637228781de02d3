//! The platform's part of the engine's configuration, merged into the owner's. Pure.
//!
//! Three sorts of keys: *owned* ones are the platform's whatever the file says (who may connect,
//! where models are, nothing phones home); *defaults* are written where the owner has said nothing
//! and stand for a choice that spends tokens or memory unasked; everything else is the owner's.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use smartbox_core::config::{MAX_BYTES, MAX_DEPTH};
use smartbox_core::engine::{Configured, Manifest, Settings};
use smartbox_core::sandbox::PROXY_PORT;

use super::models;
use super::nesting::depth;
use crate::identity;

/// The model provider that leads to the AI gateway.
pub(super) const PROVIDER: &str = "platform";

/// A key that is the platform's.
pub(super) struct Owned {
    pub(super) path: &'static [&'static str],
    value: fn(&Manifest, &Settings) -> Value,
    /// Whether it changes by itself, so that another value in the file is no choice of the owner's.
    varies: bool,
}

const fn fixed(path: &'static [&'static str], value: fn(&Manifest, &Settings) -> Value) -> Owned {
    Owned { path, value, varies: false }
}

const fn varying(path: &'static [&'static str], value: fn(&Manifest, &Settings) -> Value) -> Owned {
    Owned { path, value, varies: true }
}

pub(super) const OWNED: &[Owned] = &[
    fixed(&["gateway", "mode"], |_, _| json!("local")),
    fixed(&["gateway", "port"], |manifest, _| json!(manifest.port)),
    fixed(&["gateway", "bind"], |_, _| json!("loopback")),
    fixed(&["gateway", "trustedProxies"], |_, _| json!(["127.0.0.1"])),
    varying(&["gateway", "auth"], |_, settings| auth(settings)),
    varying(&["gateway", "controlUi", "allowedOrigins"], |_, settings| origins(settings)),
    fixed(&["gateway", "tailscale", "mode"], |_, _| json!("off")),
    varying(&["models", "providers", PROVIDER], provider),
    fixed(&["models", "catalogRefresh", "enabled"], |_, _| json!(false)),
    fixed(&["update", "checkOnStart"], |_, _| json!(false)),
    fixed(&["update", "auto", "enabled"], |_, _| json!(false)),
    fixed(&["telemetry", "enabled"], |_, _| json!(false)),
    fixed(&["discovery", "mdns", "mode"], |_, _| json!("off")),
];

pub(crate) fn configure(
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
    // Before the list of models is written anew: it tells whose choice the model was.
    models::choose(&mut doc, model_id(settings));
    for key in OWNED {
        let mut value = (key.value)(manifest, settings);
        if key.path == models::PROVIDER_KEY {
            models::join(&mut value, &doc);
        }
        let differs = put(&mut doc, key.path, Some(value));
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
    let bytes = match current {
        // Nothing to change: comments and order stay as they are.
        Some(bytes) if before.as_ref() == Some(&doc) => bytes.to_vec(),
        _ => pretty(&doc),
    };
    Configured { bytes, overridden, unreadable }
}

pub(super) fn read(bytes: &[u8]) -> Result<Map<String, Value>, String> {
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
pub(super) const ABSENT: &[&[&str]] = &[&["gateway", "controlUi", "basePath"], &["gateway", "tls"]];

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
    json!({
        "baseUrl": format!("http://127.0.0.1:{}", manifest.model_port),
        "apiKey": settings.model_token,
        "api": "anthropic-messages",
        "models": [models::entry(model_id(settings))],
    })
}

/// What would spend tokens, memory or a connection unasked is off until the owner says otherwise.
pub(super) fn defaults() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["agents", "defaults", "heartbeat", "every"], json!("0m")),
        (&["plugins", "entries", "memory-core", "config", "dreaming", "enabled"], json!(false)),
        (&["skills", "workshop", "autonomous", "mode"], json!("off")),
        (&["browser", "enabled"], json!(false)),
        (&["plugins", "entries", "browser", "enabled"], json!(false)),
        // For whoever turns it on: by itself it goes past the proxy, where there is nothing, and it may be
        // told of a proxy only with this word. Private addresses are the broker's to refuse.
        (
            &["browser", "extraArgs"],
            json!([format!("--proxy-server=http://127.0.0.1:{PROXY_PORT}")]),
        ),
        (&["browser", "ssrfPolicy", "dangerouslyAllowPrivateNetwork"], json!(true)),
        (&["browser", "noSandbox"], json!(true)),
        (&["plugins", "entries", "bonjour", "enabled"], json!(false)),
        (&["gateway", "controlUi", "communityInvite"], json!(false)),
        (&["gateway", "controlUi", "automaticallyFetchFavicons"], json!(false)),
        (&["models", "mode"], json!("replace")),
        // Its own log would be in /tmp, which is memory.
        (&["logging", "file"], json!("${OPENCLAW_STATE_DIR}/logs/openclaw.log")),
        (&["logging", "maxFileBytes"], json!(5_000_000)),
    ]
}

pub(super) fn look<'a>(doc: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(doc, |at, key| at.get(key))
}

/// Sets or removes a key; true if another value was there.
pub(super) fn put(doc: &mut Value, path: &[&str], value: Option<Value>) -> bool {
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
