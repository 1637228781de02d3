//! HTTP in the open: each request is asked about, written anew and sent on a connection of its own.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use http::header::{CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use smartbox_core::egress::{self, Allowed, Refusal};
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::{Body, Passing, Way};
use super::case::{Case, Out};
use super::meter::Meter;
use super::rewind::Rewind;
use super::splice::{End, splice};
use super::target::Target;

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
    if let Ok(standing) = case.inner.parts.rules.standing(&case.id).await {
        case.standing = standing;
    }
    let asked = egress::Request { method: request.method().as_str(), path: request.uri().path() };
    let out = match case.out(case.decide_request(asked)).await {
        Ok(out) => out,
        Err(why) => return case.refuse(why),
    };
    let upgrade = wants_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
    match send(&case, request, out, upgrade).await {
        Ok(response) => response,
        Err(Failed::No(why)) => case.refuse(why),
        Err(Failed::Broken(error)) => {
            tracing::debug!(smartbox = %case.id, %error, "a request could not be sent on");
            case.refuse(Refusal::Unreachable)
        }
    }
}

async fn send(
    case: &Case,
    request: Request<Incoming>,
    out: Out,
    upgrade: Option<hyper::upgrade::OnUpgrade>,
) -> Result<Response<Body>, Failed> {
    let Out { allowed, place } = out;
    let server = case.dial().await?;
    let mut sender = if case.secure {
        shake_hands(case, case.inner.secure(&case.target.host, server).await?).await?
    } else {
        shake_hands(case, server).await?
    };
    let meter = Arc::new(Mutex::new(Meter::new(case.clone())));
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().cloned();
    parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    parts.version = http::Version::HTTP_11;
    clean(&mut parts.headers, upgrade.is_some());
    let body = Body::Passing(Passing {
        body,
        way: Way::Up,
        meter: meter.clone(),
        cut: Some(case.cut(&allowed)),
        _place: None,
    });
    let answer = sender.send_request(Request::from_parts(parts, body));
    let within = case.inner.parts.limits.idle_time;
    let Ok(answer) = tokio::time::timeout(within, answer).await else {
        return Err(Refusal::Unreachable.into());
    };
    let mut response = answer?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(switch(case, response, upgrade, allowed, place));
    }
    clean(response.headers_mut(), false);
    let cut = Some(case.cut(&allowed));
    Ok(response.map(|body| {
        Body::Passing(Passing { body, way: Way::Down, meter, cut, _place: Some(place) })
    }))
}

/// Why a request could not be sent on.
enum Failed {
    No(Refusal),
    Broken(hyper::Error),
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
    allowed: Allowed,
    place: super::limits::Place,
) -> Response<Body> {
    let Some(inside) = upgrade else { return case.refuse(Refusal::Malformed) };
    let outside = hyper::upgrade::on(&mut response);
    let (task, idle) = (case.clone(), case.inner.parts.limits.idle_time);
    case.inner.tasks.spawn(async move {
        let (Ok(inside), Ok(outside)) = tokio::join!(inside, outside) else { return };
        let _place = place;
        let (meter, cut) = (Meter::new(task.clone()), task.cut(&allowed));
        let (inside, outside) = (TokioIo::new(inside), TokioIo::new(outside));
        if splice((inside, BytesMut::new()), outside, meter, cut, idle).await == End::Cut {
            task.refused(Refusal::Denied);
        }
    });
    clean(response.headers_mut(), true);
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
        // What frames the message is not for a box to take out.
        .filter(|name| name != HOST && name != http::header::CONTENT_LENGTH)
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP {
        headers.remove(name);
    }
    if upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
}
