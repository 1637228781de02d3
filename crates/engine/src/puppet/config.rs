//! The same configuration file as OpenClaw's, as far as puppet needs it, and refused as it does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Why a puppet does not start. The program ends with exit code 78 and says it like OpenClaw.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The configuration is bad; the words name the keys.
    #[error(
        "Gateway failed to start: Invalid config at {path}:\n{keys}\nRun \"openclaw doctor --fix\" to repair, then retry."
    )]
    Keys {
        /// The file.
        path: String,
        /// One line a key.
        keys: String,
    },
    /// There is none, or it is not a configuration at all.
    #[error("Gateway start blocked: existing config is missing gateway.mode. ({0})")]
    Blocked(String),
    /// The state can't be used, or another puppet uses it.
    #[error("Gateway failed to start: {0}")]
    State(#[source] std::io::Error),
}

/// What puppet takes from the file.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) port: u16,
    pub(super) user_header: String,
    pub(super) required_headers: Vec<String>,
    /// Scopes by user.
    pub(super) scopes: BTreeMap<String, Vec<String>>,
    pub(super) origins: Vec<String>,
    /// The model provider: loopback port, key, model id.
    pub(super) model_port: u16,
    pub(super) model_key: String,
    pub(super) model: String,
}

/// The top-level keys that OpenClaw knows.
const KNOWN: &[&str] = &[
    "$schema",
    "acp",
    "agents",
    "approvals",
    "audio",
    "auth",
    "bindings",
    "broadcast",
    "browser",
    "canvasHost",
    "channels",
    "cli",
    "commands",
    "commitments",
    "cron",
    "diagnostics",
    "discovery",
    "env",
    "gateway",
    "hooks",
    "logging",
    "mcp",
    "media",
    "memory",
    "messages",
    "meta",
    "models",
    "nodeHost",
    "plugins",
    "proxy",
    "secrets",
    "security",
    "session",
    "skills",
    "talk",
    "telemetry",
    "tools",
    "tts",
    "ui",
    "update",
    "web",
    "wizard",
];

/// A configuration and the file that it was read from.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) config: Arc<Config>,
    /// Another one for every other file.
    pub(super) hash: String,
    /// Whether edits of the file are taken up.
    watches: bool,
}

/// What `config.get` tells of the file as it is now.
pub(super) struct Told {
    pub(super) issues: Vec<String>,
    pub(super) hash: String,
    pub(super) applied: String,
    pub(super) watches: bool,
}

impl Read {
    pub(super) fn new(path: &Path) -> Result<Self, Refused> {
        let text = std::fs::read_to_string(path).map_err(|e| Refused::Blocked(e.to_string()))?;
        let doc: Value =
            json5::from_str(&text).map_err(|e| Refused::Blocked(format!("not JSON5: {e}")))?;
        let mode = doc["gateway"]["mode"].as_str();
        if mode != Some("local") {
            return Err(Refused::Blocked("gateway.mode".into()));
        }
        let keys = complaints(&doc);
        if !keys.is_empty() {
            let path = path.display().to_string();
            return Err(Refused::Keys { path, keys: keys.join("\n") });
        }
        let watches = doc["gateway"]["reload"]["mode"] != "off";
        Ok(Self { config: Arc::new(Config::from(&doc)), hash: hash(&text), watches })
    }

    /// Takes up what the file says now, if it may, and tells how it stands. A file that is refused
    /// changes nothing, as with OpenClaw.
    pub(super) fn again(&mut self, path: &Path) -> Told {
        let mut file_watches = true;
        let (issues, hash) = match Self::new(path) {
            Ok(new) => {
                let hash = new.hash.clone();
                file_watches = new.watches;
                if self.watches && new.watches {
                    *self = new;
                }
                (Vec::new(), hash)
            }
            Err(Refused::Keys { keys, .. }) => {
                (keys.lines().map(str::to_owned).collect(), String::new())
            }
            Err(other) => (vec![other.to_string()], String::new()),
        };
        Told { issues, hash, applied: self.hash.clone(), watches: self.watches && file_watches }
    }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

impl Config {
    fn from(doc: &Value) -> Self {
        let gateway = &doc["gateway"];
        let proxy = &gateway["auth"]["trustedProxy"];
        let provider = &doc["models"]["providers"]["platform"];
        let base = text(&provider["baseUrl"]);
        let model_port = base.rsplit(':').next().and_then(|p| p.trim_end_matches('/').parse().ok());
        let scopes = gateway["auth"]["identityScopes"].as_object().into_iter().flatten();
        Self {
            port: gateway["port"].as_u64().and_then(|p| u16::try_from(p).ok()).unwrap_or(18_789),
            user_header: text(&proxy["userHeader"]),
            required_headers: texts(&proxy["requiredHeaders"]),
            scopes: scopes.map(|(user, list)| (user.clone(), texts(list))).collect(),
            origins: texts(&gateway["controlUi"]["allowedOrigins"]),
            model_port: model_port.unwrap_or_default(),
            model_key: text(&provider["apiKey"]),
            model: model(doc).unwrap_or_else(|| text(&provider["models"][0]["id"])),
        }
    }
}

/// The assistant's model, if it is one of the platform's.
fn model(doc: &Value) -> Option<String> {
    let model = &doc["agents"]["defaults"]["model"];
    let name = model.as_str().or_else(|| model["primary"].as_str())?;
    name.strip_prefix("platform/").map(str::to_owned)
}

fn complaints(doc: &Value) -> Vec<String> {
    let mut out = Vec::new();
    let port = &doc["gateway"]["port"];
    if !port.is_null() && port.as_u64().is_none_or(|p| p == 0 || p > 65_535) {
        out.push("openclaw.json:1 — gateway.port: Invalid input: expected number".into());
    }
    // Nothing that a schema would tell, for tests of what is refused all the same.
    if doc["plugins"]["entries"]["puppet"]["config"]["refuse"] == true {
        out.push("plugins.entries.puppet.config.refuse: puppet was told to refuse".into());
    }
    let keys = doc.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let unknown: Vec<String> =
        keys.filter(|key| !KNOWN.contains(key)).map(|key| format!("\"{key}\"")).collect();
    if !unknown.is_empty() {
        out.push(format!("<root>: Unrecognized key: {}", unknown.join(", ")));
    }
    out
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
