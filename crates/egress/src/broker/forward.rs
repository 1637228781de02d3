//! HTTP in the open: each request is asked about, written anew and sent on a connection of its own.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::BytesMut;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE,
};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::ext::ReasonPhrase;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use smartbox_core::egress::{self, Allowed, Refusal};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{Body, Passing, Watching, Way, size};
use super::case::{Case, Out};
use super::meter::Meter;
use super::refuse::WHY;
use super::rewind::Rewind;
use super::scrubbed::{Filtered, Scrubbed};
use super::secrets::{self, Filter, Look};
use super::splice::{End, splice};
use super::target::Target;
use crate::swap;

/// What concerns one connection only (RFC 9110, 7.6.1), and what is for proxies.
const HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Serves the requests that come through a tunnel in the open. They go where the tunnel goes.
pub(crate) async fn inside<I>(case: Case, io: I, held: BytesMut)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = case.inner.parts.limits;
    let service = service_fn(move |request: Request<Incoming>| {
        let case = case.clone();
        async move {
            // In a tunnel to a server a request has no authority of its own.
            let own = request.uri().authority().is_some() || request.method() == Method::CONNECT;
            let response =
                if own { case.refuse(Refusal::Malformed) } else { forward(case, request).await };
            Ok::<_, Infallible>(response)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_header_size(limits.head_bytes)
        .serve_connection(TokioIo::new(Rewind::new(held, io)), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "HTTP through a tunnel broke off");
    }
}

/// Sends one request on.
pub(crate) async fn forward(mut case: Case, mut request: Request<Incoming>) -> Response<Body> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => return case.refuse(Refusal::Malformed),
    };
    let usual = if case.secure { 443 } else { 80 };
    if named.and_then(|host| Target::parse(host, Some(usual)).ok()).as_ref() != Some(&case.target) {
        return case.refuse(Refusal::Mismatch);
    }
    // Each request is asked about by what counts now: a tunnel may be old.
    match case.inner.parts.rules.standing(&case.id).await {
        Ok(standing) => case.standing = standing,
        Err(error) => {
            tracing::warn!(smartbox = %case.id, %error, "a policy could not be read");
            return case.refuse(Refusal::Unreachable);
        }
    }
    let asked = egress::Request { method: request.method().as_str(), path: request.uri().path() };
    let decision = case.decide_request(asked);
    let upgrade = wants_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().cloned();
    head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    head.version = http::Version::HTTP_11;
    clean(&mut head.headers, upgrade.is_some());
    // Before all else: that somebody tries to send a secret elsewhere is worth more than that the
    // place is not allowed either.
    let look = match case.look(&head) {
        Ok(look) => look,
        Err(refusal) => return case.refuse_secret(&refusal),
    };
    let out = match case.out(decision).await {
        Ok(out) => out,
        Err(why) => return case.refuse(why),
    };
    let sent = Sent { head, body, look, upgrade };
    match send(&case, sent, out).await {
        Ok(response) => response,
        Err(Failed::No(why)) => case.refuse(why),
        Err(Failed::Secret(said)) => case.refuse_secret(&said),
        Err(Failed::Body(refusal)) => case.say_secret(&refusal),
        Err(Failed::Spent) => case.answer(Refusal::Volume),
        Err(Failed::Broken(error)) => {
            tracing::debug!(smartbox = %case.id, %error, "a request could not be sent on");
            case.refuse(Refusal::Unreachable)
        }
    }
}

/// A request that may go.
struct Sent {
    head: http::request::Parts,
    body: Incoming,
    look: Option<Look>,
    upgrade: Option<hyper::upgrade::OnUpgrade>,
}

async fn send(case: &Case, sent: Sent, out: Out) -> Result<Response<Body>, Failed> {
    let Out { allowed, place } = out;
    let Sent { mut head, body, look, upgrade } = sent;
    let server = case.dial().await?;
    let mut sender = if case.secure {
        shake_hands(case, case.inner.secure(&case.target.host, server).await?).await?
    } else {
        shake_hands(case, server).await?
    };
    // From here on the head may hold values, and is not for logs.
    let filter = match &look {
        Some(look) => case.arm(look, &mut head).await?,
        None => None,
    };
    let meter = Arc::new(Mutex::new(Meter::new(case.clone())));
    count(&meter, Way::Up, line(&head) + size(&head.headers))?;
    let verdict = Arc::new(OnceLock::new());
    let (host, seen) = (case.target.host.to_string(), verdict.clone());
    let watching = look.map(|look| Watching { watch: look.watch(), host, verdict: seen });
    let body = Body::Passing(Passing {
        body,
        way: Way::Up,
        meter: meter.clone(),
        cut: Some(case.cut(&allowed)),
        watch: watching.map(Box::new),
        _place: None,
    });
    let mut answer = Box::pin(sender.send_request(Request::from_parts(head, body)));
    let within = case.inner.parts.limits.idle_time;
    // A long upload is not idle: the time counts from the last byte of it.
    let answer = loop {
        let answer = tokio::time::timeout(within, &mut answer).await;
        let idle = meter.lock().unwrap_or_else(PoisonError::into_inner).idle();
        if answer.is_ok() || idle >= within {
            break answer;
        }
    };
    if let Some(refusal) = verdict.get() {
        return Err(Failed::Body(refusal.clone()));
    }
    let Ok(answer) = answer else { return Err(Refusal::Unreachable.into()) };
    let mut response = answer.map_err(|error| {
        let spent = meter.lock().unwrap_or_else(PoisonError::into_inner).is_spent();
        if spent { Failed::Spent } else { Failed::Broken(error) }
    })?;
    count(&meter, Way::Down, size(response.headers()))?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(switch(case, response, upgrade, filter, (allowed, place)));
    }
    let cut = Some(case.cut(&allowed));
    let passing =
        |body| Passing { body, way: Way::Down, meter, cut, watch: None, _place: Some(place) };
    let Some(filter) = filter else {
        clean(response.headers_mut(), false);
        return Ok(response.map(|body| Body::Passing(passing(body))));
    };
    let (mut head, body) = response.into_parts();
    head.extensions.remove::<ReasonPhrase>();
    // Before any header is taken out: what it says of the body's coding is to be looked at.
    let coding = filter.scrub.answer(&mut head);
    let coding = coding.map_err(|refused| Failed::Secret(refused.to_string()))?;
    clean(&mut head.headers, false);
    // A body that is not there is in no coding.
    let body = if body.is_end_stream() {
        Body::Passing(passing(body))
    } else {
        Body::Scrubbed(Box::new(Scrubbed::new(passing(body), coding, filter)))
    };
    Ok(Response::from_parts(head, body))
}

/// Why a request could not be sent on.
enum Failed {
    No(Refusal),
    Secret(String),
    /// Found in the body, when it was written down.
    Body(swap::Refusal),
    /// The bytes of the day were used up on the way, which the meter wrote down.
    Spent,
    Broken(hyper::Error),
}

impl From<secrets::Failed> for Failed {
    fn from(failed: secrets::Failed) -> Self {
        match failed {
            secrets::Failed::Refused(refusal) => Self::Secret(refusal.to_string()),
            secrets::Failed::Vault => Self::No(Refusal::Unreachable),
        }
    }
}

impl From<Refusal> for Failed {
    fn from(why: Refusal) -> Self {
        Self::No(why)
    }
}

impl From<hyper::Error> for Failed {
    fn from(error: hyper::Error) -> Self {
        Self::Broken(error)
    }
}

/// Counts a head, in which as much may leave as in a body.
fn count(meter: &Mutex<Meter>, way: Way, bytes: usize) -> Result<(), Failed> {
    let may = meter.lock().unwrap_or_else(PoisonError::into_inner).pass(way, bytes);
    if may < bytes { Err(Failed::Spent) } else { Ok(()) }
}

/// What each request has besides: two spaces, the version, the end of its first line and of its head.
const EACH: usize = "  HTTP/1.1\r\n\r\n".len();

/// As many bytes as a head has but for its fields.
fn line(head: &http::request::Parts) -> usize {
    let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
    head.method.as_str().len() + path + EACH
}

/// Begins HTTP/1.1 on a connection to a host.
async fn shake_hands<S>(case: &Case, server: S) -> Result<SendRequest<Body>, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &case.inner.parts.limits;
    let (sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(limits.head_bytes.max(16 << 10) * 4)
        .handshake(TokioIo::new(server))
        .await?;
    case.inner.tasks.spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a server broke off");
        }
    });
    Ok(sender)
}

/// Both ends speak another protocol from here on (WebSocket).
fn switch(
    case: &Case,
    mut response: Response<Incoming>,
    upgrade: Option<hyper::upgrade::OnUpgrade>,
    filter: Option<Arc<Filter>>,
    (allowed, place): (Allowed, super::limits::Place),
) -> Response<Body> {
    let Some(inside) = upgrade else { return case.refuse(Refusal::Malformed) };
    let outside = hyper::upgrade::on(&mut response);
    let (task, idle) = (case.clone(), case.inner.parts.limits.idle_time);
    let through = filter.clone();
    case.inner.tasks.spawn(async move {
        let (Ok(inside), Ok(outside)) = tokio::join!(inside, outside) else { return };
        let _place = place;
        let (meter, cut) = (Meter::new(task.clone()), task.cut(&allowed));
        let (inside, outside) = ((TokioIo::new(inside), BytesMut::new()), TokioIo::new(outside));
        let end = match through {
            Some(filter) => splice(inside, Filtered::new(outside, filter), meter, cut, idle).await,
            None => splice(inside, outside, meter, cut, idle).await,
        };
        if end == End::Cut {
            task.refused(Refusal::Denied);
        }
    });
    clean(response.headers_mut(), true);
    if let Some(filter) = filter {
        response.extensions_mut().remove::<ReasonPhrase>();
        filter.scrub.headers(response.headers_mut());
    }
    response.map(|_| Body::empty())
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Takes out what concerns one connection only. An upgrade is said anew.
fn clean(headers: &mut HeaderMap, upgrade: bool) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        // What frames the message, and says what its body is, is not for an end to take out.
        .filter(|name| ![HOST, CONTENT_LENGTH, CONTENT_ENCODING].contains(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP {
        headers.remove(name);
    }
    // By it programs tell our refusals, with their advice, from what a server says.
    headers.remove(WHY);
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}
