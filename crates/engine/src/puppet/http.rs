//! Puppet's HTTP face: probes, a page, and the way up to a WebSocket.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{BUILD, Phase, Puppet, VERSION, connect, socket};

const PAGE: &str = include_str!("page.html");

type Answer = Response<Full<Bytes>>;

/// Answers one connection.
pub(super) async fn serve(
    puppet: Puppet,
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let service = service_fn(move |request| {
        let puppet = puppet.clone();
        async move { Ok::<_, Infallible>(answer(&puppet, request)) }
    });
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(io), service);
    // A connection that ends in an error has ended.
    let _ = connection.with_upgrades().await;
}

fn answer(puppet: &Puppet, request: Request<Incoming>) -> Answer {
    let path = request.uri().path();
    if path == "/healthz" {
        return json_answer(StatusCode::OK, &json!({ "ok": true, "status": "live" }));
    }
    if path == "/startupz" || path == "/readyz" {
        return probe(puppet, path == "/readyz");
    }
    if connect::forged(request.headers()) {
        return json_answer(
            StatusCode::FORBIDDEN,
            &json!({ "error": "proxy_attribution_required" }),
        );
    }
    if request.headers().contains_key(SEC_WEBSOCKET_KEY) {
        return upgrade(puppet, request);
    }
    if let Some(page) = path.strip_prefix("/pages/").and_then(|name| own(puppet, name)) {
        return page;
    }
    let page = PAGE.replace("{{BUILD}}", BUILD).replace("{{VERSION}}", VERSION);
    let mut answer = Response::new(Full::new(Bytes::from(page)));
    let html = http::HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, html);
    answer
}

/// A page of the box's own: what lies in `pages` of its home, whoever put it there.
fn own(puppet: &Puppet, name: &str) -> Option<Answer> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let (_, kind) = name.split_once('.').filter(|(stem, _)| stem.bytes().all(plain))?;
    let kind = match kind {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        _ => return None,
    };
    let home = puppet.inner.file.parent()?.parent()?;
    let text = std::fs::read(home.join("pages").join(name));
    let mut answer = Response::new(Full::new(Bytes::from(text.ok()?)));
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    Some(answer)
}

fn probe(puppet: &Puppet, ready: bool) -> Answer {
    let (word, failing) = match puppet.phase() {
        Phase::Starting => ("starting", Some("startup-sidecars")),
        Phase::Started => ("started", None),
        Phase::Suspended | Phase::Draining => ("draining", Some("gateway-draining")),
    };
    let status = if failing.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    if ready {
        let failing: Vec<&str> = failing.into_iter().collect();
        return json_answer(status, &json!({ "ready": failing.is_empty(), "failing": failing }));
    }
    let mut body = json!({ "ok": failing.is_none(), "status": word, "version": VERSION });
    if word == "starting" {
        body["pendingReason"] = json!(failing);
    }
    json_answer(status, &body)
}

fn upgrade(puppet: &Puppet, mut request: Request<Incoming>) -> Answer {
    if puppet.phase() == Phase::Draining {
        return json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "stopping" }));
    }
    let key = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(accept) = key.and_then(|key| http::HeaderValue::from_str(&key).ok()) else {
        return json_answer(StatusCode::BAD_REQUEST, &json!({ "error": "bad upgrade" }));
    };
    let headers = request.headers().clone();
    let upgraded = hyper::upgrade::on(&mut request);
    let me = puppet.clone();
    // Not ended at once by a kill: it says goodbye first.
    puppet.inner.talks.spawn(async move {
        if let Ok(io) = upgraded.await {
            let ws = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
            socket::talk(me, ws, headers).await;
        }
    });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let map = answer.headers_mut();
    map.insert(CONNECTION, http::HeaderValue::from_static("Upgrade"));
    map.insert(UPGRADE, http::HeaderValue::from_static("websocket"));
    map.insert(SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
