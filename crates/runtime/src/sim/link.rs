//! The link's server of a simulated sandbox: enough for the ordinary client.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use smartbox_core::sandbox::port::Conn;
use smartbox_link::wire::{self, Refusal};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::exec;
use super::sandbox::Sandbox;

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A connection to the link of a sandbox.
pub(super) fn connect(sandbox: Arc<Sandbox>) -> Conn {
    let (near, far) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        let ended = sandbox.ended().clone();
        let service = service_fn(move |request| {
            let sandbox = sandbox.clone();
            async move { Ok::<_, Infallible>(answer(&sandbox, request).await) }
        });
        let connection =
            http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(far), service);
        ended.run_until_cancelled(connection).await
    });
    Box::pin(near.compat())
}

async fn answer(sandbox: &Sandbox, request: Request<Incoming>) -> Answer {
    let fence = request
        .headers()
        .get(wire::FENCE_HEADER)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if fence.is_none_or(|fence| fence < sandbox.fence()) {
        return refuse(StatusCode::CONFLICT, "the fence is older than this sandbox");
    }
    let (head, body) = request.into_parts();
    if (&head.method, head.uri.path()) == (&Method::POST, wire::EXECS) {
        return exec::exec(body, sandbox);
    }
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return refuse(StatusCode::BAD_REQUEST, "the request was cut off");
    };
    match (&head.method, head.uri.path()) {
        (&Method::GET, wire::STATUS) => json(&sandbox.status()),
        (&Method::PUT, wire::ENGINE) => match serde_json::from_slice(&body) {
            Ok(order) => {
                sandbox.order(order);
                json(&sandbox.status())
            }
            Err(_) => refuse(StatusCode::BAD_REQUEST, "the order is not understood"),
        },
        (&Method::DELETE, wire::ENGINE) => {
            sandbox.stop(0);
            json(&sandbox.status())
        }
        (&Method::GET, wire::FILES) => {
            let files = sandbox.home.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(&path(&head.uri)) {
                Some(bytes) => whole(bytes),
                None => refuse(StatusCode::NOT_FOUND, "there is no such file"),
            }
        }
        (&Method::PUT, wire::FILES) => {
            sandbox.home.lock().unwrap_or_else(PoisonError::into_inner).put(
                &path(&head.uri),
                body,
                None,
            );
            whole(Bytes::new())
        }
        _ => refuse(StatusCode::NOT_FOUND, "there is no such operation"),
    }
}

fn path(uri: &hyper::Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("path=")).unwrap_or_default();
    let mut out = Vec::new();
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'%' => {
                if let (Some(high), Some(low)) = (hex(bytes.next()), hex(bytes.next())) {
                    out.push(u8::try_from(high << 4 | low).unwrap_or(b'?'));
                }
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn json(value: &impl serde::Serialize) -> Answer {
    whole(serde_json::to_vec(value).unwrap_or_default().into())
}

fn whole(bytes: Bytes) -> Answer {
    Response::new(BodyExt::boxed(Full::new(bytes)))
}

fn refuse(status: StatusCode, message: &str) -> Answer {
    let mut answer = json(&Refusal { message: message.into() });
    *answer.status_mut() = status;
    answer
}
