//! What is known of the scripted engine's configuration: JSON, `platform` is the platform's, `bad`
//! is a key that its schema does not know. And what it remembers.

use std::sync::Arc;

use serde_json::{Value, json};
use smartbox_core::BoxFuture;
use smartbox_core::config::port::{Configs, NoSchema};
use smartbox_core::config::{Fault, Taken};
use smartbox_core::engine::port::{Conversations, EngineError};
use smartbox_core::engine::{Configured, Conversation, HistoryEntry, Part, Settings};
use smartbox_core::sandbox::port::Dial;

use crate::engine::Script;

pub fn configure(current: Option<&[u8]>, settings: &Settings) -> Configured {
    let read = current.map(read).transpose();
    let unreadable = read.as_ref().err().cloned();
    let mut document = read.ok().flatten().unwrap_or_else(|| json!({}));
    let ours = json!({ "token": settings.model_token });
    let differs = document.get("platform").is_some_and(|theirs| *theirs != ours);
    document["platform"] = ours;
    let overridden = if differs { vec!["platform".into()] } else { vec![] };
    Configured { bytes: format!("{document:#}").into_bytes(), overridden, unreadable }
}

fn read(bytes: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(Value::Object(map)),
        _ => Err("it is not an object".into()),
    }
}

impl Configs for Script {
    fn read(&self, bytes: &[u8]) -> Result<Value, String> {
        read(bytes)
    }
    fn owners(&self, document: &Value) -> Value {
        let mut owner = document.clone();
        owner.as_object_mut().unwrap().remove("platform");
        owner
    }
    fn platforms(&self) -> Vec<String> {
        ["platform", "gateway.auth", "models.providers.platform"].map(str::to_owned).into()
    }
    fn meant(&self, _: &Value, patch: Value) -> Value {
        patch
    }
    fn masked(&self, mut effective: Value) -> Value {
        effective["platform"] = json!("masked");
        effective
    }
    fn check(&self, effective: Value) -> BoxFuture<'_, Result<Vec<Fault>, NoSchema>> {
        let fault = || Fault { path: "bad".into(), message: "no such key".into(), hint: None };
        let faults = effective.get("bad").map(|_| fault()).into_iter().collect();
        Box::pin(async { Ok(faults) })
    }
    fn schema(&self) -> BoxFuture<'_, Result<Arc<[u8]>, NoSchema>> {
        Box::pin(async { Ok((*b"{}").into()) })
    }
    fn taken<'a>(&'a self, _: &'a dyn Dial) -> BoxFuture<'a, Result<Taken, EngineError>> {
        Box::pin(async {
            let mut will = self.will();
            will.takes.pop_front().unwrap_or(Ok(Taken::Yes))
        })
    }
}

impl Conversations for Script {
    fn list<'a>(
        &'a self,
        _: &'a dyn Dial,
        after: Option<&'a str>,
        _: u32,
    ) -> BoxFuture<'a, Result<Part<Conversation>, EngineError>> {
        Box::pin(async move {
            if after.is_some() {
                return Err(EngineError::Refused { why: "no such place".into() });
            }
            Ok(Part { items: vec![], next: None })
        })
    }
    fn page<'a>(
        &'a self,
        _: &'a dyn Dial,
        _: &'a str,
        _: Option<&'a str>,
        _: u32,
    ) -> BoxFuture<'a, Result<Part<HistoryEntry>, EngineError>> {
        Box::pin(async { Ok(Part { items: vec![], next: None }) })
    }
}
