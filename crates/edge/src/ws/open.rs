//! The handshake: checked here, made again toward the engine without extensions, and answered with
//! the engine's own answer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use smartbox_core::smartbox::State;
use tokio::sync::watch;

use crate::body::EdgeBody;
use crate::connection::Slot;
use crate::edge::Inner;
use crate::known::Known;
use crate::problem::Refusal;
use crate::proxy::{Download, Errand, Wire, engine_builder, own_origin_strict, toward_client};
use crate::ws::frame::{Reader, Sender};
use crate::ws::half::Half;
use crate::ws::relay::Relay;

fn has_token(headers: &HeaderMap, name: http::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

fn upgrades(headers: &HeaderMap) -> bool {
    has_token(headers, UPGRADE, "websocket") && has_token(headers, CONNECTION, "upgrade")
}

/// Whether a request wants a WebSocket.
pub(crate) fn wanted(parts: &Parts) -> bool {
    parts.version == Version::HTTP_11 && upgrades(&parts.headers)
}

fn checked(parts: &Parts, scheme: crate::Scheme, host: &HeaderValue) -> Result<(), Refusal> {
    if !own_origin_strict(&parts.headers, scheme, host.to_str().unwrap_or_default()) {
        return Err(Refusal::foreign());
    }
    let one = |name: &str| {
        let mut values = parts.headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())
    };
    let version = one("sec-websocket-version").is_some_and(|value| value == "13");
    let key = one("sec-websocket-key").is_some_and(|value| value.len() == 24);
    if parts.method != Method::GET || !version || !key {
        let message = "This is not a WebSocket handshake of version 13.";
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

/// Opens a socket to the engine, waking the box if it sleeps, and relays it from then on.
pub(crate) async fn open(
    edge: &Arc<Inner>,
    known: &Known,
    parts: &mut Parts,
    sessions: watch::Receiver<u64>,
) -> Result<Response<EdgeBody>, Refusal> {
    checked(parts, edge.settings.scheme, &known.host)?;
    let most = edge.settings.limits.sockets;
    let counted = edge.tally.one(&known.visitor(), most).ok_or_else(too_many)?;
    // The place among the connections is kept as long as the socket lives.
    let stays = match parts.extensions.get::<Slot>() {
        Some(slot) => Some(slot.stay().ok_or_else(full)?),
        None => None,
    };
    if known.route.state != State::Running {
        edge.wake(&known.route.id, &known.route.name).await?;
    }
    let client = parts.extensions.remove::<OnUpgrade>().ok_or_else(Refusal::engine)?;
    let limits = &edge.settings.limits;
    let asked = tokio::time::timeout(limits.wake_time, ask(edge, known, parts)).await;
    let response = asked.map_err(|_| Refusal::engine())??;
    let (mut head, body) = response.into_parts();
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        toward_client(&mut head.headers);
        let download = Download::new(body, None, None);
        return Ok(Response::from_parts(head, EdgeBody::engine(download)));
    }
    let engine = head.extensions.remove::<OnUpgrade>().ok_or_else(Refusal::engine)?;
    // An extension that was not offered would make frames that cannot be relayed.
    if !upgrades(&head.headers) || head.headers.contains_key("sec-websocket-extensions") {
        return Err(Refusal::engine());
    }
    toward_client(&mut head.headers);
    head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let (tasks, edge, known) = (edge.tasks.clone(), edge.clone(), known.clone());
    tasks.spawn(async move {
        let _held = (stays, counted);
        if let (Ok(client), Ok(engine)) = tokio::join!(client, engine) {
            relay(edge, known, sessions, client, engine).await;
        }
    });
    Ok(Response::from_parts(head, EdgeBody::own("")))
}

fn too_many() -> Refusal {
    let message = "You have too many conversations with this smartbox open.";
    let hint = "Close some of its pages.";
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too-many-sockets", message, hint).retry(10)
}

fn full() -> Refusal {
    let message = "Too many conversations are open on this platform.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "full", message, "Try again in a while.")
        .retry(10)
}

async fn relay(
    edge: Arc<Inner>,
    known: Known,
    sessions: watch::Receiver<u64>,
    client: Upgraded,
    engine: Upgraded,
) {
    let max = edge.settings.limits.frame_bytes;
    let client = Half::new(TokioIo::new(client), Reader::new(Sender::Client, max));
    let engine = Half::new(TokioIo::new(engine), Reader::new(Sender::Engine, max));
    Relay::new(edge, known, client, engine).run(sessions).await;
}

/// Makes the handshake with the engine.
async fn ask(
    edge: &Arc<Inner>,
    known: &Known,
    parts: &Parts,
) -> Result<Response<Incoming>, Refusal> {
    let errand = Errand { edge, known };
    let mut copy = Request::new(()).into_parts().0;
    copy.uri = parts.uri.clone();
    copy.headers = parts.headers.clone();
    let mut request = errand.request(copy, Empty::<Bytes>::new())?;
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    request.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));

    let conn = edge.dial(&known.route.id, &known.route.name).await?;
    let limits = &edge.settings.limits;
    let (wire, budget) = Wire::new(conn, limits.head_bytes * 2);
    let (mut sender, connection) = engine_builder(limits)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(wire))
        .await
        .map_err(|_| Refusal::engine())?;
    edge.tasks.spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "the engine broke off");
        }
    });
    let response = sender.send_request(request).await.map_err(|_| Refusal::engine())?;
    budget.lift();
    Ok(response)
}
