//! The outermost layer: which host is asked for, the request's id, the headers of our pages, and
//! every error in the shape that its asker reads.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use smartbox_api::problem::{self, Code, Problem};
use smartbox_core::id::random_text;
use smartbox_core::telemetry::{Event, TRACE, Telemetry};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::principal::Peer;
use super::trouble::{self, Trouble};
use super::{compat, page, reminder};
use crate::app::App;
use crate::traces;

const REQUEST_ID: HeaderName = HeaderName::from_static("smartbox-request-id");

/// Our pages show text and forms.
const NO_PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), \
                              usb=(), serial=(), hid=(), clipboard-read=()";

pub(super) async fn outer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = random_text(&*app.entropy, 12);
    let method = request.method().clone();
    // The path alone: a query may hold a token.
    let path = request.uri().path().to_owned();
    let html = path != "/api" && !path.starts_with("/api/") && reads_html(request.headers());
    let reader = match html {
        true => Reader::Person,
        false if compat::answers(&path) => Reader::Original,
        false => Reader::Program,
    };
    let local = matches!(request.extensions().get::<Peer>(), Some(Peer::Local { .. }));
    // Matched before this layer; a path that leads nowhere has none, and is no label.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let span = span(&request, route.as_ref(), &id);
    let dress = page::dresses(&method, &path);
    let mut response = if local || ours(&app, &request) || dress {
        name_host(&mut request);
        next.run(request).instrument(span.clone()).await
    } else {
        wrong_host(&app).into_response()
    };
    let told = response.extensions_mut().remove::<Problem>();
    if let Some(mut problem) = told.or_else(|| untold(&response)) {
        problem.request_id = Some(id.clone());
        name_missing(&mut problem, &path);
        response = render(&app, &problem, reader, response);
    }
    if app.dev {
        response = reminder::remind(response).await;
    }
    finish(&app, &mut response, &id);
    let took = began.elapsed();
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    app.metrics.note(Event::Request { route, method: method.as_str(), status, took });
    tracing::debug!(%method, path, status, took_ms = took.as_millis(), request = id, "answered");
    response
}

/// Of a request, under the caller's if it names one.
fn span(request: &Request, route: Option<&MatchedPath>, id: &str) -> Span {
    let span = info_span!(
        target: TRACE, parent: None, "request", otel.kind = "server", request.id = id,
        http.request.method = Empty, http.route = Empty, http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    // A path that leads nowhere is not told, nor is the method that it was tried with.
    if let Some(route) = route {
        span.record("http.request.method", request.method().as_str());
        span.record("http.route", route.as_str());
    }
    traces::under(request.headers(), &span);
    span
}

fn reads_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|text| text.contains("text/html"))
}

/// Exactly one host is named, and it is the platform's.
fn ours(app: &App, request: &Request) -> bool {
    let mut lines = request.headers().get_all(HOST).iter();
    let (header, second) = (lines.next().map(|v| v.to_str().unwrap_or("?")), lines.next());
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    let host = match (target, header) {
        (Some(target), Some(header)) if !target.eq_ignore_ascii_case(header) => return false,
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) => return false,
    };
    second.is_none() && app.site.is_platform(host)
}

/// Has the host stand in `Host`, where everything behind this reads it: HTTP/2 names it in the target
/// (RFC 9113, 8.3.1).
fn name_host(request: &mut Request) {
    if request.headers().contains_key(HOST) {
        return;
    }
    let target = request.uri().authority();
    if let Some(Ok(host)) = target.map(|target| HeaderValue::from_str(target.as_str())) {
        request.headers_mut().insert(HOST, host);
    }
}

fn wrong_host(app: &App) -> Trouble {
    Trouble::new(
        Code::WrongHost,
        "this platform does not answer to that host name",
        format!("open {}, or set `http.url` to the address that people use", app.site.origin()),
    )
}

/// Says which smartbox there is none of: the one in the address, unless it is no name at all.
fn name_missing(problem: &mut Problem, path: &str) {
    let Some(rest) = path.strip_prefix("/api/v1/boxes/") else { return };
    let name = rest.split('/').next().unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let none = problem.known() == Some(Code::NotFound) && problem.detail == trouble::NO_BOX;
    if none && !name.is_empty() && name.len() <= 80 && name.bytes().all(plain) {
        problem.detail = format!("there is no smartbox `{name}`");
    }
}

/// What axum itself refuses (a path that is not UTF-8) has neither a page nor a problem.
fn untold(response: &Response) -> Option<Problem> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let ours = kind.is_some_and(|kind| !kind.starts_with("text/plain"));
    let refused = response.status().is_client_error() && !ours;
    refused.then(|| Problem::new(Code::BadRequest, "the address is not understood", ""))
}

/// Who reads an error.
#[derive(Clone, Copy)]
enum Reader {
    /// A browser.
    Person,
    /// A client of our API.
    Program,
    /// A client of the original's admin calls.
    Original,
}

fn render(app: &App, problem: &Problem, reader: Reader, bare: Response) -> Response {
    let (mut parts, _) = bare.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.status = StatusCode::from_u16(problem.status).unwrap_or(parts.status);
    let (kind, body) = match reader {
        Reader::Person => ("text/html; charset=utf-8", page::problem(app, problem)),
        Reader::Program => {
            (problem::MEDIA_TYPE, serde_json::to_string(problem).unwrap_or_default())
        }
        Reader::Original => (problem::MEDIA_TYPE, compat::problem(problem)),
    };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Response::from_parts(parts, Body::from(body))
}

fn finish(app: &App, response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    // `form-action` speaks of redirects too: signing in ends on a box's origin.
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         form-action 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        app.site.any_box()
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        // What is not ours to show says so more strictly.
        headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", NO_PERMISSIONS),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // Not `no-referrer`: browsers then send `Origin: null` with the forms of our own pages.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
}
