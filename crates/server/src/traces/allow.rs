//! What may leave in a span: these attributes by name, and of them what looks like an id, a word or a
//! number. Whatever else a span has stays here, even if a later change of ours puts it there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanExporter, SpanLinks};

/// The names. `docs/guides/operations.md` has them too.
pub const ATTRIBUTES: [&str; 16] = [
    "gen_ai.provider.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "job.attempt",
    "job.id",
    "job.kind",
    "message.attempts",
    "message.id",
    "message.outcome",
    "request.id",
    "runtime.shift",
    "smartbox.id",
    "smartbox.step",
];

/// The longest word, in bytes.
const LONGEST: usize = 128;

/// Stands before another exporter.
#[derive(Debug)]
pub(super) struct Allowed<E> {
    next: E,
    /// The collector did not take the last batch, and the log says so already.
    told: AtomicBool,
}

impl<E> Allowed<E> {
    pub(super) fn before(next: E) -> Self {
        Self { next, told: AtomicBool::new(false) }
    }

    /// Says once that it begins, and once that it is over.
    fn tell(&self, sent: &OTelSdkResult) {
        match sent {
            Ok(()) if self.told.swap(false, Ordering::Relaxed) => {
                tracing::info!("traces are taken again");
            }
            Err(error) if !self.told.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "traces are not taken by the collector and are lost meanwhile");
            }
            _ => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for Allowed<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let batch = batch.into_iter().map(allowed).collect();
        let sent = self.next.export(batch).await;
        self.tell(&sent);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

fn allowed(mut span: SpanData) -> SpanData {
    span.attributes.retain(is_allowed);
    // Both may hold words of others.
    span.events = SpanEvents::default();
    span.links = SpanLinks::default();
    if matches!(span.status, Status::Error { .. }) {
        span.status = Status::error("");
    }
    span
}

fn is_allowed(attribute: &KeyValue) -> bool {
    let plain = match &attribute.value {
        Value::String(text) => is_plain(text.as_str()),
        Value::Bool(_) | Value::I64(_) | Value::F64(_) => true,
        _ => false,
    };
    plain && ATTRIBUTES.binary_search(&attribute.key.as_str()).is_ok()
}

/// An id, a word, a template of a route: nothing that a person wrote.
fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::time::SystemTime;

    use futures_util::FutureExt;
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{Event, SpanContext, SpanId, SpanKind};
    use opentelemetry_sdk::error::OTelSdkError;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;

    fn span(attributes: Vec<KeyValue>) -> SpanData {
        let mut events = SpanEvents::default();
        events.events.push(Event::with_name("canary"));
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: "turn".into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes,
            dropped_attributes_count: 0,
            events,
            links: SpanLinks::default(),
            status: Status::error("canary"),
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    /// Takes nothing while it is off.
    #[derive(Debug, Default)]
    struct Switch(AtomicBool);

    impl SpanExporter for &'static Switch {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            match self.0.load(Ordering::Relaxed) {
                true => Ok(()),
                false => Err(OTelSdkError::InternalFailure("off".into())),
            }
        }
    }

    /// Counts lines of the log.
    struct Lines(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for Lines {
        fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn that_nobody_takes_them_is_said_once_and_that_somebody_does_again_too() {
        static COLLECTOR: Switch = Switch(AtomicBool::new(false));
        let lines = Arc::new(AtomicUsize::new(0));
        let sender = Allowed::before(&COLLECTOR);
        let send = || {
            let log = tracing_subscriber::registry().with(Lines(lines.clone()));
            tracing::subscriber::with_default(log, || {
                let sent = sender.export(vec![span(vec![])]).now_or_never().unwrap();
                (sent.is_ok(), lines.load(Ordering::Relaxed))
            })
        };
        assert_eq!([send(), send(), send()], [(false, 1), (false, 1), (false, 1)]);
        COLLECTOR.0.store(true, Ordering::Relaxed);
        assert_eq!([send(), send()], [(true, 2), (true, 2)]);
        COLLECTOR.0.store(false, Ordering::Relaxed);
        assert_eq!([send(), send()], [(false, 3), (false, 3)]);
    }

    #[test]
    fn only_what_is_listed_leaves_and_only_if_it_is_plain() {
        assert!(ATTRIBUTES.is_sorted(), "it is searched");
        let sent = allowed(span(vec![
            KeyValue::new("smartbox.id", "box_00000000000000000001"),
            KeyValue::new("message.attempts", 2),
            KeyValue::new("message.text", "canary"),
            KeyValue::new("http.route", "the canary said something"),
            KeyValue::new("job.kind", "canary".repeat(100)),
        ]));
        let names: Vec<&str> = sent.attributes.iter().map(|kv| kv.key.as_str()).collect();
        assert_eq!(names, ["smartbox.id", "message.attempts"]);
        assert!(!format!("{sent:?}").contains("canary"), "{sent:?}");
        assert!(matches!(sent.status, Status::Error { .. }), "that it failed is said");
    }
}
