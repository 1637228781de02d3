//! The broker: an HTTP proxy that dials what a policy allows.
//!
//! ```text
//! a request ─► who may (core::egress::decide) ─► resolve, look at each address ─► dial that address
//!    CONNECT       ─► first bytes: TLS whose SNI is the host → pass untouched, or, where a rule looks
//!                                        at requests, open it: each request is asked about
//!                                  HTTP                     → each request is asked about
//!                                  anything else            → pass, but not at a port of the web
//!    http://…      ─► each request is asked about
//! ```
//! Every refusal is an answer that says how to allow it, and a [`Passage`] for the witness.

mod answer;
mod asker;
mod authority;
mod body;
mod case;
mod connect;
mod dial;
mod dns;
mod forward;
mod hello;
mod known;
mod limits;
mod meter;
mod names;
mod open;
mod refuse;
mod rewind;
mod scrubbed;
mod secrets;
mod splice;
mod target;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use smartbox_core::BoxFuture;
use smartbox_core::egress::Host;
use smartbox_core::egress::address::{Opened, is_stand_in};
use smartbox_core::egress::port::{Authority, BoxError, Egress, Passage, Rules, Witness};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::Incoming;
use smartbox_core::secret::port::Release;
use smartbox_core::store::StoreError;
use smartbox_core::time::Clock;
use time::OffsetDateTime;
use tokio_util::compat::FuturesAsyncReadCompatExt as _;
use tokio_util::task::TaskTracker;

pub use limits::Limits;
pub use names::{Names, SystemNames};

use asker::Asker;
use dns::{Pace, StandIns, Told};
use known::{Budget, Known};
use limits::InFlight;
use target::Target;

/// What the broker is made of.
pub struct Parts {
    /// What boxes may reach.
    pub rules: Arc<dyn Rules>,
    /// Gives the values of secrets.
    pub release: Arc<dyn Release>,
    /// Who takes account.
    pub witness: Arc<dyn Witness>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where names are looked up.
    pub names: Arc<dyn Names>,
    /// What is not public and may be reached all the same, by the operator's word.
    pub opened: Vec<Opened>,
    /// What is trusted of hosts besides the machine's own roots.
    pub roots: Vec<CertificateDer<'static>>,
    /// What a box may have at once, and for how long.
    pub limits: Limits,
}

/// Dials for boxes.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) in_flight: InFlight,
    /// Connections that ask for names.
    pub(crate) asking: InFlight,
    pub(crate) pace: Pace,
    pub(crate) stand_ins: StandIns,
    pub(crate) told: Told,
    pub(crate) tasks: TaskTracker,
    pub(crate) outward: Arc<ClientConfig>,
    /// The boxes that sent something; each until it is removed.
    known: Mutex<HashMap<SmartboxId, Arc<Known>>>,
}

impl Broker {
    /// Puts the parts together. Makes no connection.
    pub fn new(parts: Parts) -> Self {
        let in_flight = InFlight::new(parts.limits.connections, parts.limits.all_connections);
        let outward = Arc::new(open::outward(&parts.roots));
        let (tasks, known) = (TaskTracker::new(), Mutex::default());
        let asking = InFlight::new(dns::CONNECTIONS, parts.limits.all_names);
        let (pace, stand_ins, told) = (Pace::default(), StandIns::default(), Told::default());
        Self(Arc::new(Inner {
            parts,
            in_flight,
            asking,
            pace,
            stand_ins,
            told,
            tasks,
            outward,
            known,
        }))
    }
}

impl Inner {
    /// What time it is, for certificates.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let seconds = self.parts.clock.now().0 / 1000;
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// What a box means by a target: the name, where it says the address that stands for it. None if
    /// the address stands for nothing; it is dialled by nobody, whatever lies there outside.
    pub(crate) fn meant(&self, id: &SmartboxId, target: &Target) -> Option<Target> {
        match target.host {
            Host::Ip(IpAddr::V4(ip)) if is_stand_in(ip) => {
                let name = self.stand_ins.name(id, ip, self.parts.clock.now())?;
                Some(Target { host: Host::Name(name), port: target.port })
            }
            _ => Some(target.clone()),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SmartboxId, Arc<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of a box.
    pub(crate) fn know(&self, id: &SmartboxId) -> Arc<Known> {
        self.known().entry(id.clone()).or_default().clone()
    }

    /// What a box may still send and fetch.
    pub(crate) async fn budget(&self, id: &SmartboxId) -> Result<Arc<Budget>, StoreError> {
        let Parts { rules, clock, limits, .. } = &self.parts;
        self.know(id).budget(id, &**rules, clock, limits.quota).await
    }

    /// Tells the witness, once it is known who asked.
    pub(crate) fn note(&self, passage: Passage, by: &Asker) {
        if let Some(by) = by.settled() {
            return self.parts.witness.note(Passage { by, ..passage });
        }
        let (witness, by) = (self.parts.witness.clone(), by.clone());
        self.tasks.spawn(async move {
            let by = by.wait().await;
            witness.note(Passage { by, ..passage });
        });
    }
}

impl Egress for Broker {
    fn authority(&self) -> Result<Authority, BoxError> {
        Ok(authority::make(self.0.now())?)
    }

    fn serve(&self, id: SmartboxId, call: Incoming) -> BoxFuture<'static, ()> {
        let inner = self.0.clone();
        Box::pin(async move {
            let limits = &inner.parts.limits;
            let Incoming { conn, program } = call;
            let (inner_, id_, by) = (inner.clone(), id.clone(), Asker::begin(program).await);
            let service = service_fn(move |request| {
                let (inner, id, by) = (inner_.clone(), id_.clone(), by.clone());
                async move { Ok::<_, Infallible>(answer::answer(&inner, &id, by, request).await) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head_time)
                .max_header_size(limits.head_bytes)
                .serve_connection(TokioIo::new(conn.compat()), service)
                .with_upgrades()
                .await;
            if let Err(error) = served {
                tracing::debug!(smartbox = %id, %error, "a connection to the broker broke off");
            }
        })
    }

    fn serve_names(&self, id: SmartboxId, call: Incoming) -> BoxFuture<'static, ()> {
        Box::pin(dns::serve(self.0.clone(), id, call.conn))
    }

    fn forget(&self, id: &SmartboxId) {
        self.0.known().remove(id);
    }
}
