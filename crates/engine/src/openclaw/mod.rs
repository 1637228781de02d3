//! The adapter for OpenClaw, and for puppet, which speaks the same protocol.

mod answer;
mod chat;
mod configs;
mod configure;
mod conversations;
mod follow;
mod history;
mod models;
mod nesting;
mod owner;
mod rows;
mod suspend;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use smartbox_core::engine::port::{Engine, EngineError};
use smartbox_core::engine::{
    Configured, Health, HistoryEntry, Manifest, Settings, Suspended, Turn, TurnEvent,
};
use smartbox_core::sandbox::port::Dial;
use smartbox_core::time::Timestamp;
use smartbox_core::{BoxFuture, BoxStream};

use crate::gateway::socket::{Face, Socket, Unopened};
use crate::gateway::wire::{Payload, check_floor};
use crate::gateway::{garbled, http, nobody_listens};
use crate::manifest::{self, BadManifest};
pub use configs::OpenClawConfigs;
#[cfg(test)]
pub(crate) use configure::configure as configure_for_tests;

/// Speaks to OpenClaw. Cheap to clone; one serves any number of boxes.
#[derive(Clone)]
pub struct OpenClaw {
    inner: Arc<Inner>,
}

struct Inner {
    manifest: Manifest,
    /// The engine's build that was seen last: what [`Face::Page`] must claim to be.
    build: Mutex<Option<String>>,
}

impl OpenClaw {
    /// The adapter for the shipped manifest of OpenClaw.
    pub fn new() -> Result<Self, BadManifest> {
        Ok(Self::with(manifest::openclaw()?))
    }

    /// The adapter for puppet.
    pub fn puppet() -> Result<Self, BadManifest> {
        Ok(Self::with(manifest::puppet()?))
    }

    /// The adapter for another manifest: another port, another directory.
    pub fn with(manifest: Manifest) -> Self {
        Self { inner: Arc::new(Inner { manifest, build: Mutex::new(None) }) }
    }

    /// Connects as a program: for everything but messages.
    async fn program(&self, dial: &dyn Dial) -> Result<Socket, EngineError> {
        let Manifest { port, floor, .. } = &self.inner.manifest;
        let socket = match Socket::open(dial, *port, floor, &Face::Program).await {
            Ok(socket) => socket,
            Err(Unopened::Error(error)) => return Err(error),
            Err(Unopened::OtherBuild) => {
                return Err(EngineError::Refused { why: "another protocol version".into() });
            }
        };
        self.remember(&socket.server.build_id);
        Ok(socket)
    }

    /// Connects as the engine's own page: for messages that must survive a crash.
    async fn page(&self, dial: &dyn Dial) -> Result<Socket, EngineError> {
        let Manifest { port, floor, .. } = &self.inner.manifest;
        if let Some(build) = self.build() {
            match Socket::open(dial, *port, floor, &Face::Page { build }).await {
                Ok(socket) => return Ok(socket),
                Err(Unopened::Error(error)) => return Err(error),
                // It was upgraded since: ask again who it is.
                Err(Unopened::OtherBuild) => {}
            }
        }
        let build = self.program(dial).await?.server.build_id;
        match Socket::open(dial, *port, floor, &Face::Page { build }).await {
            Ok(socket) => Ok(socket),
            Err(Unopened::Error(error)) => Err(error),
            Err(Unopened::OtherBuild) => Err(garbled("it refuses the build that it says it is")),
        }
    }

    /// Calls one method of the engine as a program: for checks.
    pub(crate) async fn ask(
        &self,
        dial: &dyn Dial,
        method: &str,
        params: serde_json::Value,
    ) -> Result<Payload, EngineError> {
        self.program(dial).await?.call(method, params).await
    }

    fn build(&self) -> Option<String> {
        self.inner.build.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, build: &str) {
        *self.inner.build.lock().unwrap_or_else(PoisonError::into_inner) = Some(build.to_owned());
    }

    async fn probe(&self, dial: &dyn Dial) -> Result<Health, EngineError> {
        let (_, body) = match http::get(dial, self.inner.manifest.port, "/startupz").await {
            Ok(answer) => answer,
            Err(error) if nobody_listens(&error) => return Ok(Health::Silent),
            Err(error) => return Err(error),
        };
        // Any unknown path is answered with 200 and a page, so that only the body counts.
        let probe: Probe = serde_json::from_slice(&body)
            .map_err(|_| garbled("the start-up probe did not answer with JSON"))?;
        if let Some(version) = &probe.version {
            check_floor(version, &self.inner.manifest.floor)?;
        }
        match probe.status.as_str() {
            "started" => Ok(Health::Ready),
            "draining" => Ok(Health::Draining),
            "starting" => Ok(Health::Starting(probe.pending_reason.chars().take(100).collect())),
            other => {
                let other: String = other.chars().take(40).collect();
                Err(garbled(format!("the start-up probe says `{other}`")))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    status: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    pending_reason: String,
}

/// The key that the engine gives a conversation of its main agent.
fn session_key(session: &str) -> String {
    if session.contains(':') { session.to_owned() } else { format!("agent:main:{session}") }
}

impl Engine for OpenClaw {
    fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    fn configure(&self, current: Option<&[u8]>, settings: &Settings) -> Configured {
        configure::configure(&self.inner.manifest, current, settings)
    }

    fn health<'a>(&'a self, dial: &'a dyn Dial) -> BoxFuture<'a, Result<Health, EngineError>> {
        Box::pin(self.probe(dial))
    }

    fn chat(
        &self,
        dial: Arc<dyn Dial>,
        turn: Turn,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<TurnEvent, EngineError>>, EngineError>>
    {
        Box::pin(chat::chat(self, dial, turn))
    }

    fn history<'a>(
        &'a self,
        dial: &'a dyn Dial,
        session: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<HistoryEntry>, EngineError>> {
        Box::pin(history::history(self, dial, session, limit))
    }

    fn suspend<'a>(
        &'a self,
        dial: &'a dyn Dial,
        request: &'a str,
    ) -> BoxFuture<'a, Result<Suspended, EngineError>> {
        Box::pin(suspend::suspend(self, dial, request))
    }

    fn resume<'a>(
        &'a self,
        dial: &'a dyn Dial,
        lease: &'a str,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(suspend::resume(self, dial, lease))
    }

    fn next_wake<'a>(
        &'a self,
        dial: &'a dyn Dial,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, EngineError>> {
        Box::pin(suspend::next_wake(self, dial))
    }
}
