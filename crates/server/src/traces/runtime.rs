//! A runtime whose starts and shifts are spans.

use std::sync::Arc;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Conn, Incoming, Kept, Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{Capabilities, LogPage, Observed, SandboxSpec, Shift};
use smartbox_core::telemetry::TRACE;
use smartbox_core::{BoxFuture, BoxStream};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

/// Another runtime. Looks and dials are too many to be told of.
pub(crate) struct Traced(pub(crate) Arc<dyn Runtime>);

impl Runtime for Traced {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observed>, RuntimeError>> {
        self.0.list()
    }

    fn observe(&self, id: SmartboxId) -> BoxFuture<'_, Result<Observed, RuntimeError>> {
        self.0.observe(id)
    }

    fn start(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<(), RuntimeError>> {
        let span = info_span!(target: TRACE, "runtime.start", smartbox.id = %spec.id, otel.status_code = Empty);
        watched(self.0.start(spec), span)
    }

    fn shift(&self, id: SmartboxId, to: Shift) -> BoxFuture<'_, Result<(), RuntimeError>> {
        let word = match to {
            Shift::Freeze { .. } => "freeze",
            Shift::Thaw => "thaw",
            Shift::Remove => "remove",
        };
        let span = info_span!(target: TRACE, "runtime.shift", smartbox.id = %id, runtime.shift = word, otel.status_code = Empty);
        watched(self.0.shift(id, to), span)
    }

    fn dial(&self, id: SmartboxId, target: Target) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        self.0.dial(id, target)
    }

    fn incoming(
        &self,
        id: SmartboxId,
        port: u16,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Incoming>, RuntimeError>> {
        self.0.incoming(id, port)
    }

    fn kept(&self, id: SmartboxId, what: Kept) -> BoxFuture<'_, Result<LogPage, RuntimeError>> {
        self.0.kept(id, what)
    }
}

/// The span lasts as long as the call, and says whether it failed.
pub(super) fn watched<'a, T: 'a, E: 'a>(
    call: BoxFuture<'a, Result<T, E>>,
    span: Span,
) -> BoxFuture<'a, Result<T, E>> {
    if span.is_disabled() {
        return call;
    }
    let told = span.clone();
    let call = async move {
        let done = call.await;
        if done.is_err() {
            told.record("otel.status_code", "ERROR");
        }
        done
    };
    Box::pin(call.instrument(span))
}
