//! The port for configurations, for OpenClaw and for puppet.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::config::port::{Configs, NoSchema};
use smartbox_core::config::{Fault, Taken};
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::Dial;

use super::{OpenClaw, configure, models, owner};
use crate::gateway::garbled;
use crate::gateway::loose::{Word, list};
use crate::schema::{Schema, Source};

/// Puppet's own: what it reads, and a few keys more for tests.
const PUPPET: &str = include_str!("../../manifests/puppet.schema.json");
/// Faults that the engine tells of, at most, and the longest text.
const MOST: usize = 20;
const LONGEST: usize = 300;

/// What is known of OpenClaw's configuration.
pub struct OpenClawConfigs {
    engine: OpenClaw,
    schema: Schema,
}

impl OpenClawConfigs {
    /// For an engine that is installed in this directory.
    pub fn installed(engine: OpenClaw, dir: &Path) -> Self {
        Self { engine, schema: Schema::new(Source::Installed(dir.to_owned())) }
    }

    /// For puppet.
    pub fn puppet(engine: OpenClaw) -> Self {
        Self { engine, schema: Schema::new(Source::Text(PUPPET)) }
    }
}

/// What `config.get` says, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    valid: bool,
    #[serde(default, deserialize_with = "list")]
    issues: Vec<Issue>,
    config_revision_hash: Option<String>,
    applied_config_hash: Option<String>,
    #[serde(default)]
    config: Option<Document>,
}

/// The configuration itself, as far as it matters here.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    gateway: Option<Gateway>,
}

#[derive(Deserialize)]
struct Gateway {
    #[serde(default)]
    reload: Option<Reload>,
}

#[derive(Deserialize)]
struct Reload {
    #[serde(default)]
    mode: Word,
}

#[derive(Deserialize)]
struct Issue {
    #[serde(default)]
    path: String,
    #[serde(default)]
    message: String,
}

impl Configs for OpenClawConfigs {
    fn read(&self, bytes: &[u8]) -> Result<Value, String> {
        configure::read(bytes).map(Value::Object)
    }

    fn owners(&self, document: &Value) -> Value {
        owner::owners(document)
    }

    fn platforms(&self) -> Vec<String> {
        owner::platforms()
    }

    fn meant(&self, document: &Value, patch: Value) -> Value {
        models::meant(document, patch)
    }

    fn masked(&self, effective: Value) -> Value {
        owner::masked(effective)
    }

    fn check(&self, effective: Value) -> BoxFuture<'_, Result<Vec<Fault>, NoSchema>> {
        Box::pin(self.schema.check(effective))
    }

    fn schema(&self) -> BoxFuture<'_, Result<Arc<[u8]>, NoSchema>> {
        Box::pin(self.schema.text())
    }

    fn taken<'a>(&'a self, dial: &'a dyn Dial) -> BoxFuture<'a, Result<Taken, EngineError>> {
        Box::pin(async move {
            let answer = self.engine.ask(dial, "config.get", json!({})).await?;
            let told: Told = answer.read().map_err(|_| garbled("its configuration"))?;
            if !told.valid {
                let plain = |text: String| {
                    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>()
                };
                let fault = |issue: Issue| Fault {
                    path: plain(issue.path),
                    message: plain(issue.message),
                    hint: None,
                };
                return Ok(Taken::Refused(told.issues.into_iter().take(MOST).map(fault).collect()));
            }
            let applied = told.applied_config_hash.is_some()
                && told.applied_config_hash == told.config_revision_hash;
            let reload = told.config.and_then(|config| config.gateway?.reload);
            let watches = reload.is_none_or(|reload| reload.mode.0 != "off");
            Ok(match (applied, watches) {
                (true, _) => Taken::Yes,
                (false, true) => Taken::NotYet,
                (false, false) => Taken::AtRestart,
            })
        })
    }
}
