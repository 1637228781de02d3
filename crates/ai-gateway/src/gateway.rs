//! The gateway itself: its parts, put together and checked once, and a connection of a box served.

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::{Client, Url, redirect};
use smartbox_core::BoxFuture;
use smartbox_core::activity::Activity;
use smartbox_core::id::SmartboxId;
use smartbox_core::model::Caller;
use smartbox_core::model::port::ModelCalls;
use smartbox_core::sandbox::port::Conn;
use smartbox_core::secret::port::Release;
use smartbox_core::store::Store;
use smartbox_core::telemetry::Telemetry;
use smartbox_core::time::Clock;
use tokio::sync::Semaphore;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;
use tracing::Span;

use crate::call::answer::{DEMO, answer};
use crate::call::limits::{InFlight, Limits};
use crate::demo::DemoConfig;
use crate::meter::record::Recorder;
use crate::provider::{BadProvider, ProviderConfig, address};
use crate::tls;

/// Bytes of a request's head at the most.
const LONGEST_HEAD: usize = 64 << 10;

/// Puts a span that has not begun under what a box is doing.
pub type Cause = Arc<dyn Fn(&SmartboxId, &Span) + Send + Sync>;

/// What the gateway is made of.
pub struct Parts {
    /// Where usage is recorded.
    pub store: Arc<dyn Store>,
    /// Where keys come from.
    pub release: Arc<dyn Release>,
    /// Keeps a box awake while it calls.
    pub activity: Arc<dyn Activity>,
    /// Counts calls and tokens.
    pub telemetry: Arc<dyn Telemetry>,
    /// Puts the span of a box's call under what it is made for, if that is known.
    pub cause: Cause,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who answers. Their order decides among equals.
    pub providers: Vec<ProviderConfig>,
    /// The provider that comes first among equals, by name; `demo` for the demo model alone.
    pub preferred: Option<String>,
    /// The built-in demo model, which answers while there is no key; none to refuse instead.
    pub demo: Option<DemoConfig>,
    /// What boxes may ask.
    pub limits: Limits,
}

/// Serves the model calls of boxes.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

/// What every call needs.
pub(crate) struct Inner {
    pub(crate) release: Arc<dyn Release>,
    pub(crate) activity: Arc<dyn Activity>,
    pub(crate) cause: Cause,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) providers: Vec<Provider>,
    pub(crate) preferred: Option<String>,
    pub(crate) demo: Option<DemoConfig>,
    /// Answers those who may be answered by nobody else.
    pub(crate) rehearsal: DemoConfig,
    pub(crate) limits: Limits,
    pub(crate) recorder: Recorder,
    pub(crate) held: Arc<Semaphore>,
    pub(crate) in_flight: InFlight,
}

/// A provider, ready to be called.
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    pub(crate) base: Url,
    pub(crate) client: Client,
}

impl Gateway {
    /// Puts the parts together. Makes no connection; fails if a provider cannot be used as
    /// configured. [`crate::install_crypto`] is called here.
    pub fn new(parts: Parts) -> Result<Self, BadProvider> {
        tls::install_crypto();
        let mut providers: Vec<Provider> = Vec::new();
        for config in parts.providers {
            if config.name == DEMO || providers.iter().any(|p| p.config.name == config.name) {
                return Err(BadProvider::Name(config.name));
            }
            providers.push(provider(config)?);
        }
        if let Some(name) = &parts.preferred
            && name != DEMO
            && !providers.iter().any(|p| p.config.name == *name)
        {
            return Err(BadProvider::Preferred(name.clone()));
        }
        let held = parts.limits.held.min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            release: parts.release,
            activity: parts.activity,
            cause: parts.cause,
            clock: parts.clock,
            providers,
            preferred: parts.preferred,
            rehearsal: parts.demo.clone().unwrap_or_default(),
            demo: parts.demo,
            limits: parts.limits,
            recorder: Recorder::new(parts.store, parts.telemetry),
            held: Arc::new(Semaphore::new(held)),
            in_flight: InFlight::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Waits until the usage of every call that has ended is written. For the end of the platform.
    pub async fn settled(&self) {
        self.inner.recorder.settled().await;
    }
}

impl ModelCalls for Gateway {
    fn serve(&self, caller: Caller, conn: Conn) -> BoxFuture<'static, ()> {
        let (inner, caller) = (self.inner.clone(), Arc::new(caller));
        Box::pin(async move {
            let head = inner.limits.head;
            let id = caller.id.clone();
            let service = service_fn(move |request| {
                let (inner, caller) = (inner.clone(), caller.clone());
                async move { Ok::<_, Infallible>(answer(&inner, &caller, request).await) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head)
                .max_header_size(LONGEST_HEAD)
                .serve_connection(TokioIo::new(conn.compat()), service)
                .await;
            if let Err(error) = served {
                tracing::debug!(smartbox = %id, %error, "a connection to the AI gateway broke off");
            }
        })
    }
}

fn provider(config: ProviderConfig) -> Result<Provider, BadProvider> {
    let name = || config.name.clone();
    let base = address::parse(&config.base_url)
        .map_err(|why| BadProvider::Address { name: name(), why })?;
    if let Some(secret) = &config.secret {
        smartbox_core::secret::check_name(secret)
            .map_err(|source| BadProvider::Secret { name: name(), source })?;
        if base.scheme() == "http" && !is_here(&base) {
            tracing::warn!(provider = %config.name, %base, "the model key travels unencrypted to this provider: use https");
        }
    }
    let tls = tls::client_config()
        .map_err(|error| BadProvider::Client { name: name(), source: error.into() })?;
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        // Over HTTP/1.1 a call that is given up ends its own connection and nobody else's.
        .http1_only()
        .redirect(redirect::Policy::none())
        .connect_timeout(config.timeouts.connect)
        .no_proxy()
        .build()
        .map_err(|error| BadProvider::Client { name: name(), source: error.into() })?;
    Ok(Provider { base, client, config })
}

fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
