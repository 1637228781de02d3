//! An engine whose conversations and suspensions are spans.

use std::sync::Arc;

use futures_util::StreamExt;
use smartbox_core::engine::port::{Engine, EngineError};
use smartbox_core::engine::{
    Configured, Health, HistoryEntry, Manifest, Settings, Suspended, Turn, TurnEvent,
};
use smartbox_core::sandbox::port::Dial;
use smartbox_core::telemetry::TRACE;
use smartbox_core::time::Timestamp;
use smartbox_core::{BoxFuture, BoxStream};
use tracing::field::Empty;
use tracing::info_span;

use super::runtime::watched;

/// Another engine. Its probes are too many to be told of.
pub(crate) struct Traced(pub(crate) Arc<dyn Engine>);

impl Engine for Traced {
    fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    fn configure(&self, current: Option<&[u8]>, settings: &Settings) -> Configured {
        self.0.configure(current, settings)
    }

    fn health<'a>(&'a self, dial: &'a dyn Dial) -> BoxFuture<'a, Result<Health, EngineError>> {
        self.0.health(dial)
    }

    fn chat(
        &self,
        dial: Arc<dyn Dial>,
        turn: Turn,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<TurnEvent, EngineError>>, EngineError>>
    {
        let span = info_span!(target: TRACE, "engine.chat", otel.status_code = Empty);
        let held = span.clone();
        let chat = self.0.chat(dial, turn);
        let chat: BoxFuture<'_, Result<BoxStream<'static, _>, _>> = Box::pin(async move {
            let events = chat.await?;
            // It lasts as long as the answer.
            let events = events.inspect(move |event| {
                if event.is_err() {
                    held.record("otel.status_code", "ERROR");
                }
            });
            Ok(Box::pin(events) as BoxStream<'static, _>)
        });
        watched(chat, span)
    }

    fn history<'a>(
        &'a self,
        dial: &'a dyn Dial,
        session: &'a str,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<HistoryEntry>, EngineError>> {
        let span = info_span!(target: TRACE, "engine.history", otel.status_code = Empty);
        watched(self.0.history(dial, session, limit), span)
    }

    fn suspend<'a>(
        &'a self,
        dial: &'a dyn Dial,
        request: &'a str,
    ) -> BoxFuture<'a, Result<Suspended, EngineError>> {
        let span = info_span!(target: TRACE, "engine.suspend", otel.status_code = Empty);
        watched(self.0.suspend(dial, request), span)
    }

    fn resume<'a>(
        &'a self,
        dial: &'a dyn Dial,
        lease: &'a str,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        let span = info_span!(target: TRACE, "engine.resume", otel.status_code = Empty);
        watched(self.0.resume(dial, lease), span)
    }

    fn next_wake<'a>(
        &'a self,
        dial: &'a dyn Dial,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, EngineError>> {
        self.0.next_wake(dial)
    }
}
