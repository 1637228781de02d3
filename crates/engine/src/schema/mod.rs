//! The engine's own schema of its configuration: where it comes from, and what it does not allow.
//!
//! The real one has 2.4 MB. It is read, made ready and compiled once, when the first configuration is
//! checked (about 0.1 s and 20 MB), never at start.

mod faults;
mod prepare;
mod source;

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::config::Fault;
use smartbox_core::config::port::NoSchema;
use tokio::sync::OnceCell;

pub(crate) use source::{Source, keep};

/// The schema of one engine.
pub(crate) struct Schema {
    source: Source,
    text: OnceCell<Arc<[u8]>>,
    ready: OnceCell<Arc<Ready>>,
}

/// A schema in force.
struct Ready {
    validator: jsonschema::Validator,
    /// As it was compiled: to find out what was meant.
    document: Value,
}

impl Schema {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, text: OnceCell::new(), ready: OnceCell::new() }
    }

    /// The schema as the engine tells it.
    pub(crate) async fn text(&self) -> Result<Arc<[u8]>, NoSchema> {
        self.text.get_or_try_init(|| self.source.read()).await.cloned()
    }

    /// What it does not allow in a document.
    pub(crate) async fn check(&self, document: Value) -> Result<Vec<Fault>, NoSchema> {
        let ready = self.ready().await?;
        let work = move || faults::of(&ready.validator, &ready.document, &document);
        tokio::task::spawn_blocking(work).await.map_err(|e| NoSchema(e.to_string()))
    }

    async fn ready(&self) -> Result<Arc<Ready>, NoSchema> {
        let ready = self.ready.get_or_try_init(|| async {
            let text = self.text().await?;
            let work = move || compile(&text).map(Arc::new);
            tokio::task::spawn_blocking(work).await.map_err(|e| NoSchema(e.to_string()))?
        });
        ready.await.cloned()
    }
}

fn compile(text: &[u8]) -> Result<Ready, NoSchema> {
    let mut document: Value =
        serde_json::from_slice(text).map_err(|e| NoSchema(format!("it is not JSON: {e}")))?;
    prepare::prepare(&mut document);
    let validator = match jsonschema::options().build(&document) {
        Ok(validator) => validator,
        // One pattern that is not understood must not cost the whole check.
        Err(error) => {
            tracing::warn!(%error, "the engine's schema is used without its patterns");
            prepare::forget_patterns(&mut document);
            jsonschema::options().build(&document).map_err(|e| NoSchema(e.to_string()))?
        }
    };
    Ok(Ready { validator, document })
}

#[cfg(test)]
mod tests;
