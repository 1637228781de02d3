//! What happens, as spans for a collector that speaks OTLP. Off unless an endpoint is configured.
//!
//! The rooms make spans with the target [`TRACE`] by `tracing`; where nobody collects them they cost
//! nothing. What leaves here is chosen by name (`allow`): ids, states, sizes, never text, names of
//! people, values of headers or tokens. Events of the log are no part of it.
//!
//! Spans wait in a bounded queue for a thread of their own. A collector that does not answer costs
//! spans, and no request ever waits for it.

mod allow;
mod engine;
mod incoming;
mod runtime;
mod send;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use smartbox_core::telemetry::TRACE;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::config;

pub use allow::ATTRIBUTES;
pub(crate) use engine::Traced as TracedEngine;
pub(crate) use incoming::under;
pub(crate) use runtime::Traced as TracedRuntime;

/// How long the collector has for a batch.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what is left at the end is waited for.
const PARTING: Duration = Duration::from_secs(2);
/// Who speaks, unless the operator says otherwise.
const SERVICE: &str = "smartbox";

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent: {0}")]
pub struct NoTraces(String);

/// Sends spans until it is ended.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins, if there is somebody to send to. Connects to nobody yet.
    pub fn start(
        config: &config::traces::Traces,
        runtime: Handle,
    ) -> Result<Option<Self>, NoTraces> {
        let Some(endpoint) = &config.endpoint else { return Ok(None) };
        let sender = send::Sender::new(runtime, PATIENCE).map_err(NoTraces)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| NoTraces(error.to_string()))?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let service = config.service.as_deref().unwrap_or(SERVICE).to_owned();
        let resource =
            Resource::builder().with_attribute(version).with_service_name(service).build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(allow::Allowed::before(exporter))
            .with_resource(resource)
            .build();
        Ok(Some(Self { provider }))
    }

    /// Takes spans in from the rooms.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|of| of.is_span() && of.target() == TRACE))
    }

    /// Sends what is left, if that does not take long.
    pub fn end(&self) {
        // Who does not answer now has been told of in the log.
        let _ = self.provider.shutdown_with_timeout(PARTING);
    }
}
