//! A caller's trace goes on in ours.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// Puts the span of a request under the caller's, if it names one (W3C Trace Context).
pub(crate) fn under(headers: &HeaderMap, span: &Span) {
    // Where nobody collects there is nothing to read for.
    if !span.is_disabled() && headers.contains_key(TRACEPARENT) {
        let caller = TraceContextPropagator::new().extract(&Parent(headers));
        // It fails if the span has begun, and that is just now.
        let _ = span.set_parent(caller);
    }
}

/// The one header; `tracestate` holds whatever others put there, and we would pass it on.
struct Parent<'a>(&'a HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (Some(one), None) if key == TRACEPARENT => one.to_str().ok(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TraceContextExt;

    use super::*;

    #[test]
    fn one_well_formed_parent_is_read_and_nothing_besides() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let good = format!("00-{trace}-b7ad6b7169203331-01");
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            headers.insert("tracestate", "vendor=canary".parse().unwrap());
            for value in values {
                headers.append(TRACEPARENT, value.parse().unwrap());
            }
            let context = TraceContextPropagator::new().extract(&Parent(&headers));
            let span = context.span().span_context().clone();
            assert!(!format!("{span:?}").contains("canary"));
            span.is_valid().then(|| span.trace_id().to_string())
        };
        assert_eq!(read(&[&good]).as_deref(), Some(trace));
        assert_eq!(read(&[&good, &good]), None, "two are none");
        for bad in
            ["", "00-0-0-01", "canary", "00-00000000000000000000000000000000-b7ad6b7169203331-01"]
        {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
    }
}
