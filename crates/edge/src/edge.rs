//! The edge itself: the order in which a request is looked at. Every step may end it; what passes
//! the last one is the engine's.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{HOST, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use smartbox_core::activity::{Activity, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::limit::port::Meter;
use smartbox_core::limit::{Class, Client, Key};
use smartbox_core::route::Route;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::Conn;
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::telemetry::{Event, TRACE, Telemetry};
use smartbox_core::time::Clock;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::admit::{Admit, Person};
use crate::asked::Asked;
use crate::body::EdgeBody;
use crate::crowd::Crowd;
use crate::known::Known;
use crate::problem::Refusal;
use crate::proxy::{Errand, Pool, own_origin, uninvited};
use crate::settings::EdgeSettings;
use crate::wake::{Visit, shows_html, visit};
use crate::{cookie, door, host, page, ws};

/// What the edge is made of.
pub struct EdgeParts {
    /// Finds and wakes boxes.
    pub resolve: Arc<dyn Resolve>,
    /// Keeps boxes awake.
    pub activity: Arc<dyn Activity>,
    /// Keeps sessions.
    pub admit: Arc<dyn Admit>,
    /// Keeps counts of what is limited.
    pub meter: Arc<dyn Meter>,
    /// For the time in ticks.
    pub clock: Arc<dyn Clock>,
    /// Counts requests.
    pub telemetry: Arc<dyn Telemetry>,
    /// Everything else.
    pub settings: EdgeSettings,
    /// Cancelled when the edge is to drain: connections finish what they have begun, sockets are
    /// closed with 1012.
    pub drain: CancellationToken,
}

/// Serves the origins of boxes. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) resolve: Arc<dyn Resolve>,
    pub(crate) activity: Arc<dyn Activity>,
    pub(crate) admit: Arc<dyn Admit>,
    pub(crate) meter: Arc<dyn Meter>,
    pub(crate) clock: Arc<dyn Clock>,
    telemetry: Arc<dyn Telemetry>,
    pub(crate) settings: EdgeSettings,
    pub(crate) drain: CancellationToken,
    pub(crate) pool: Arc<Pool>,
    pub(crate) crowd: Crowd,
    /// Relayed sockets by session.
    pub(crate) tally: ws::Tally,
    /// Connections and relayed sockets.
    pub(crate) tasks: TaskTracker,
    /// Changes when sessions may have ended: open sockets ask again.
    pub(crate) sessions: watch::Sender<u64>,
}

impl Edge {
    /// Makes an edge.
    pub fn new(parts: EdgeParts) -> Self {
        let limits = &parts.settings.limits;
        let crowd = Crowd::new(limits.connections, limits.per_client);
        Self {
            inner: Arc::new(Inner {
                resolve: parts.resolve,
                activity: parts.activity,
                admit: parts.admit,
                meter: parts.meter,
                clock: parts.clock,
                telemetry: parts.telemetry,
                settings: parts.settings,
                drain: parts.drain,
                pool: Arc::default(),
                crowd,
                tally: ws::Tally::default(),
                tasks: TaskTracker::new(),
                sessions: watch::Sender::new(0),
            }),
        }
    }

    /// The label if `host` (with or without a port) is one that belongs to boxes, whether there is
    /// such a box or not.
    pub fn label(&self, host: &str) -> Option<String> {
        host::label(host, &self.inner.settings.bases)
    }

    /// The settings, for the links that others make.
    pub fn settings(&self) -> &EdgeSettings {
        &self.inner.settings
    }

    /// Tells open sockets that sessions were revoked: each asks [`Admit::who`] again at once.
    pub fn sessions_changed(&self) {
        self.inner.sessions.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Returns once every connection and relayed socket has ended. Cancel `drain` first; each of
    /// them ends within [`crate::Limits::drain`] then.
    pub async fn drained(&self) {
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Answers a request to a box's host. For HTTP/1.1 the connection must be served with
    /// upgrades, as [`Edge::serve_connection`] does.
    pub async fn serve(&self, request: Request<Asked>, peer: SocketAddr) -> Response<EdgeBody> {
        let began = Instant::now();
        let html = shows_html(request.headers());
        let span = info_span!(
            target: TRACE, parent: None, "visit", otel.kind = "server", smartbox.id = Empty,
            http.response.status_code = Empty, otel.status_code = Empty,
        );
        let response = match self.inner.answer(request, peer).instrument(span.clone()).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(html),
        };
        let (status, took) = (response.status().as_u16(), began.elapsed());
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        self.inner.telemetry.note(Event::Visit { status, took });
        response
    }

    /// Connections of clients, sockets that are relayed included.
    pub fn connections(&self) -> usize {
        self.inner.crowd.len()
    }
}

impl Inner {
    async fn answer(
        self: &Arc<Self>,
        request: Request<Asked>,
        peer: SocketAddr,
    ) -> Result<Response<EdgeBody>, Refusal> {
        let (parts, body) = request.into_parts();
        if parts.method == Method::TRACE || parts.method == Method::CONNECT {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return Err(Refusal::new(status, "method", "This method is not served.", ""));
        }
        let bad_host = || Refusal::bad_request("The request does not name one host.");
        let host = host::of(&parts).ok_or_else(bad_host)?;
        let label = host::label(host, &self.settings.bases).ok_or_else(Refusal::not_found)?;
        let host = match parts.headers.get(HOST) {
            Some(value) => value.clone(),
            None => HeaderValue::from_str(host).map_err(|_| bad_host())?,
        };
        let origin_ok = |parts: &Parts| {
            let host = host.to_str().unwrap_or_default();
            own_origin(&parts.headers, self.settings.scheme, host)
        };
        let safe = parts.method == Method::GET || parts.method == Method::HEAD;
        let foreign =
            if safe { uninvited(&parts.method, &parts.headers) } else { !origin_ok(&parts) };
        if foreign {
            return Err(Refusal::foreign());
        }
        let client = Client::from(peer.ip());
        self.knock(client, &parts).await?;
        let route = self.resolve.route(&label).await.map_err(|_| Refusal::records())?;
        if door::is_door(parts.uri.path()) {
            return door::open(self, &label, route, parts, body).await;
        }
        let sessions = self.sessions.subscribe();
        // A box that is not there looks like one that one is not signed in to.
        let Some(known) = self.known(route, &parts, host, peer).await? else {
            return self.sign_in(&label, &parts);
        };
        Span::current().record("smartbox.id", tracing::field::display(&known.route.id));
        let visitor = Key::Principal(known.person.account.clone(), known.visitor());
        self.meter.take(Class::Visit, visitor).await.map_err(Refusal::too_many)?;
        // Whoever waits for the box, for an answer, or with a body that still comes, waits no longer than they may.
        let mut seen = sessions.clone();
        tokio::select! {
            biased;
            () = known.shut_out(self, &mut seen) => Err(Refusal::shut_out()),
            response = self.pass(&known, &label, (parts, body), sessions) => response,
        }
    }

    /// What the engine answers to somebody who may ask it. `sessions` was subscribed to before they were
    /// recognised.
    async fn pass(
        self: &Arc<Self>,
        known: &Known,
        label: &str,
        (mut parts, body): (Parts, Asked),
        sessions: watch::Receiver<u64>,
    ) -> Result<Response<EdgeBody>, Refusal> {
        if ws::wanted(&parts) {
            return ws::open(self, known, &mut parts, sessions).await;
        }
        let visit = visit(&parts, &self.settings.engine);
        let busy =
            (visit != Visit::Quiet).then(|| self.activity.begin(&known.route.id, Doing::Request));
        if let Some(page) = self.awake(&known.route, visit, &parts).await? {
            return Ok(page);
        }
        let errand = Errand { edge: self, known };
        let back = (visit == Visit::Page).then(|| parts.uri.clone());
        let response = errand.run(parts, body, busy, sessions).await?;
        if response.status() != StatusCode::SERVICE_UNAVAILABLE || visit == Visit::Quiet {
            return Ok(response);
        }
        Ok(self.dozed_off(label, back).await.unwrap_or(response))
    }

    /// Strangers are counted by where they come from, before anything is looked up for them.
    async fn knock(&self, client: Client, parts: &Parts) -> Result<(), Refusal> {
        let mut cookies = cookie::candidates(&parts.headers, self.settings.scheme);
        if cookies.any(|value| self.admit.remembers(value)) {
            return Ok(());
        }
        self.meter.take(Class::Knock, Key::Client(client)).await.map_err(Refusal::too_many)
    }

    async fn known(
        &self,
        route: Option<Route>,
        parts: &Parts,
        host: HeaderValue,
        peer: SocketAddr,
    ) -> Result<Option<Known>, Refusal> {
        let Some(route) = route else { return Ok(None) };
        let found = self.who(&route, parts).await?;
        Ok(found.map(|(person, cookie)| Known { route, person, cookie, host, peer }))
    }

    /// The person at the other end and the cookie that says so.
    pub(crate) async fn who(
        &self,
        route: &Route,
        parts: &Parts,
    ) -> Result<Option<(Person, String)>, Refusal> {
        for value in cookie::candidates(&parts.headers, self.settings.scheme) {
            let person = self.admit.who(route, value).await.map_err(|_| Refusal::records())?;
            if let Some(person) = person {
                return Ok(Some((person, value.to_owned())));
            }
        }
        Ok(None)
    }

    /// What those get who are not signed in.
    pub(crate) fn sign_in(
        &self,
        label: &str,
        parts: &Parts,
    ) -> Result<Response<EdgeBody>, Refusal> {
        let url = self.settings.sign_in_url(label);
        if shows_html(&parts.headers) && parts.method == Method::GET {
            return redirect(&url);
        }
        Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "sign-in",
            "You are not signed in here.",
            format!("Sign in at {url}"),
        ))
    }

    /// Sees to it that the engine answers; or a page that stands in until it does.
    async fn awake(
        &self,
        route: &Route,
        visit: Visit,
        parts: &Parts,
    ) -> Result<Option<Response<EdgeBody>>, Refusal> {
        if route.state == State::Running {
            return Ok(None);
        }
        let limits = &self.settings.limits;
        match visit {
            Visit::Quiet => {
                // A person's click may need a file, and wake the box over its socket just now.
                let running = self.runs(route);
                let runs = tokio::time::timeout(limits.thaw_time, running).await == Ok(true);
                if runs { Ok(None) } else { Err(Refusal::asleep()) }
            }
            Visit::Call => self.wake(&route.id, &route.name).await.map(|()| None),
            Visit::Page => {
                let back = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                let stuck = route.desired == Desired::Off || route.state == State::Failed;
                // A thaw takes less time than a page: nobody should see one flash by.
                let thawed = !stuck
                    && route.state == State::Frozen
                    && self.resolve.wake(route.id.clone(), limits.thaw_time).await.is_ok();
                if thawed {
                    return Ok(None);
                }
                if !stuck {
                    self.nudge(&route.id).await;
                }
                Ok(Some(page::wait(route, back, &self.settings.notice)))
            }
        }
    }

    /// Waits until the box runs by somebody else's doing; at once if nobody is at it.
    async fn runs(&self, route: &Route) -> bool {
        let mut state = route.state;
        while matches!(state, State::Frozen | State::Starting) {
            match self.resolve.changed(route.id.clone(), state).await {
                Ok(next) => state = next,
                Err(_) => return false,
            }
        }
        state == State::Running
    }

    /// The engine refuses for now. If that is because its box fell asleep in the meantime, the box
    /// wakes, and a person sees the loading page instead.
    async fn dozed_off(&self, label: &str, back: Option<Uri>) -> Option<Response<EdgeBody>> {
        let route = self.resolve.route(label).await.ok()??;
        if matches!(route.state, State::Running | State::Failed) || route.desired == Desired::Off {
            return None;
        }
        self.nudge(&route.id).await;
        let back = back?;
        let back = back.path_and_query().map_or("/", |path| path.as_str());
        Some(page::wait(&route, back, &self.settings.notice))
    }

    pub(crate) async fn nudge(&self, id: &SmartboxId) {
        if let Err(error) = self.resolve.nudge(id.clone()).await {
            tracing::debug!(%id, %error, "a nudge was refused");
        }
    }

    pub(crate) async fn wake(&self, id: &SmartboxId, name: &str) -> Result<(), Refusal> {
        let within = self.settings.limits.wake_time;
        self.resolve.wake(id.clone(), within).await.map_err(|error| Refusal::wake(&error, name))
    }

    /// Connects to the engine; where that fails the box is woken once, for it may have fallen
    /// asleep since it was looked at.
    pub(crate) async fn dial(&self, id: &SmartboxId, name: &str) -> Result<Conn, Refusal> {
        match self.resolve.dial(id.clone()).await {
            Ok(conn) => return Ok(conn),
            Err(error @ (WakeError::Missing | WakeError::Draining | WakeError::Off)) => {
                return Err(Refusal::wake(&error, name));
            }
            Err(error) => tracing::debug!(%id, %error, "the engine cannot be dialled; waking it"),
        }
        self.wake(id, name).await?;
        self.resolve.dial(id.clone()).await.map_err(|error| Refusal::wake(&error, name))
    }
}

pub(crate) fn redirect(to: &str) -> Result<Response<EdgeBody>, Refusal> {
    let mut response = Response::new(EdgeBody::own(""));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(to).map_err(|_| Refusal::not_found())?;
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
