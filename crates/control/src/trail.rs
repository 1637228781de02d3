//! What leads to something that happens later, in another task: a request to a turn, a wish to a step.
//!
//! A span that is the parent of another one in `tracing` lasts as long as that one does; a request
//! would seem to last as long as the turn that it leads to. So only its name goes along.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of a span, where spans are collected; nothing elsewhere.
#[derive(Debug, Clone)]
pub struct Trail(SpanContext);

impl Default for Trail {
    fn default() -> Self {
        Self(SpanContext::NONE)
    }
}

impl Trail {
    /// What is being done here.
    pub(crate) fn here() -> Self {
        Self::of(&Span::current())
    }

    /// This.
    pub(crate) fn of(span: &Span) -> Self {
        if span.is_disabled() {
            return Self::default();
        }
        Self(span.context().span().span_context().clone())
    }

    /// Puts a span that has not begun under it. One that leads nowhere changes nothing.
    pub fn leads_to(&self, span: &Span) {
        if self.0.is_valid() && !span.is_disabled() {
            let cause = Context::new().with_remote_span_context(self.0.clone());
            // It fails where nobody collects, and then nothing is lost.
            let _ = span.set_parent(cause);
        }
    }
}
