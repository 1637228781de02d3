//! The edge's own pages. One small style and at most one small script, both inline and named in
//! the policy by their hash; nothing is loaded from anywhere, and every page works without script.

use askama::Template;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};
use smartbox_core::route::Route;
use smartbox_core::smartbox::{Desired, State};
use std::sync::LazyLock;

use crate::body::EdgeBody;
use crate::problem::Refusal;

const STYLE: &str = include_str!("../../templates/style.css");
const WAIT: &str = include_str!("../../templates/wait.js");
const ENTER: &str = include_str!("../../templates/enter.js");

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// Our pages show text and forms.
const NO_PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), \
                              usb=(), serial=(), hid=(), clipboard-read=(), publickey-credentials-get=()";

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; style-src {}; script-src {} {}; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(WAIT),
        hash(ENTER),
    )
});

#[derive(Template)]
#[template(path = "wait.html")]
struct WaitPage<'a> {
    style: &'static str,
    script: &'static str,
    notice: &'a str,
    name: &'a str,
    mood: &'static str,
    headline: &'a str,
    detail: &'a str,
    hint: &'a str,
    command: &'a str,
    retry: bool,
    back: &'a str,
}

#[derive(Template)]
#[template(path = "enter.html")]
struct EnterPage<'a> {
    style: &'static str,
    script: &'static str,
    name: &'a str,
    ticket: &'a str,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage<'a> {
    style: &'static str,
    message: &'a str,
    hint: &'a str,
}

/// What the loading page and `/_smartbox/state` say of a box.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Report<'a> {
    /// The state word.
    pub(crate) state: State,
    /// The owner's wish.
    pub(crate) desired: Desired,
    /// `waking`, `failed`, `off` or `ready`.
    pub(crate) mood: &'static str,
    /// The box's name.
    pub(crate) name: &'a str,
    /// What it is doing, or what is wrong.
    pub(crate) phase: &'a str,
    /// Why it failed.
    pub(crate) failure: Option<&'a smartbox_core::smartbox::Failure>,
}

impl<'a> Report<'a> {
    pub(crate) fn of(route: &'a Route) -> Self {
        let mood = match (route.desired, route.state) {
            (_, State::Running) => "ready",
            (Desired::Off, _) => "off",
            (_, State::Failed) => "failed",
            _ => "waking",
        };
        let phase = match (route.phase.as_str(), route.state) {
            ("", State::Starting) => "starting",
            ("", State::Frozen) => "waking up",
            ("", _) => "getting ready",
            (phase, _) => phase,
        };
        let failure = route.failure.as_ref().filter(|_| route.state == State::Failed);
        Self { state: route.state, desired: route.desired, mood, name: &route.name, phase, failure }
    }
}

/// The page that stands in while a box cannot show its own.
pub(crate) fn wait(route: &Route, back: &str, notice: &str) -> Response<EdgeBody> {
    let report = Report::of(route);
    let (headline, detail) = match report.mood {
        "off" => ("is turned off", "Turn it on with"),
        "failed" => (
            "could not start",
            report.failure.map_or("It failed without saying why.", |f| f.message.as_str()),
        ),
        _ => ("is waking up", report.phase),
    };
    let command =
        if report.mood == "off" { format!("smartbox start {}", route.name) } else { String::new() };
    let page = WaitPage {
        style: STYLE,
        script: WAIT,
        notice,
        name: &route.name,
        mood: report.mood,
        headline,
        detail,
        hint: report.failure.map_or("", |f| f.hint.as_str()),
        command: &command,
        retry: report.mood == "failed",
        back,
    };
    html(StatusCode::OK, page.render())
}

/// The page that hands a ticket in.
pub(crate) fn enter(route: &Route, ticket: &str) -> Response<EdgeBody> {
    let page = EnterPage { style: STYLE, script: ENTER, name: &route.name, ticket };
    let mut response = html(StatusCode::OK, page.render());
    // `no-referrer` would make browsers send `Origin: null` with the form; this one keeps the
    // ticket out of every Referer all the same.
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

/// A refusal for a person.
pub(crate) fn refusal(refusal: &Refusal) -> Response<EdgeBody> {
    let page = RefusalPage { style: STYLE, message: &refusal.message, hint: &refusal.hint };
    html(refusal.status, page.render())
}

fn html(status: StatusCode, page: Result<String, askama::Error>) -> Response<EdgeBody> {
    let text = page.unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be rendered");
        String::new()
    });
    let mut response = Response::new(EdgeBody::own(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (PERMISSIONS_POLICY, NO_PERMISSIONS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}
