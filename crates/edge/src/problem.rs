//! Refusals: problem documents (RFC 9457) for programs, a small page for people.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use smartbox_core::route::port::WakeError;

use crate::body::EdgeBody;
use crate::page;

/// Why a request is not served, and what its maker can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// For programs.
    pub(crate) code: &'static str,
    /// One sentence for a person.
    pub(crate) message: Cow<'static, str>,
    /// What the person can do.
    pub(crate) hint: Cow<'static, str>,
    /// Seconds.
    pub(crate) retry_after: Option<u16>,
}

impl Refusal {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code, message: message.into(), hint: hint.into(), retry_after: None }
    }

    pub(crate) fn retry(mut self, seconds: u16) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The platform's own records failed.
    pub(crate) fn records() -> Self {
        let hint = "Try again in a moment; `smartbox doctor` says what is wrong.";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "records-unavailable",
            "The platform cannot read its records.",
            hint,
        )
        .retry(2)
    }

    /// The engine broke off or spoke nonsense.
    pub(crate) fn engine() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "engine-broke-off",
            "The assistant's program did not give a proper answer.",
            "Try again; `smartbox logs` shows what it says about it.",
        )
    }

    pub(crate) fn bad_request(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message, "")
    }

    /// More than a limit allows.
    pub(crate) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "This is more than the platform takes from one visitor.",
            "Wait a moment.",
        )
        .retry(u16::try_from(seconds).unwrap_or(u16::MAX))
    }

    pub(crate) fn not_found() -> Self {
        let message = "There is nothing at this address.";
        Self::new(StatusCode::NOT_FOUND, "not-found", message, "")
    }

    pub(crate) fn foreign() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign-origin",
            "This request was made by another site.",
            "Open the smartbox at its own address.",
        )
    }

    /// Whoever asked was signed out meanwhile, or may something else.
    pub(crate) fn shut_out() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "shut-out",
            "You were signed out here meanwhile, or what you may has changed.",
            "Load the page again.",
        )
    }

    /// Why a box does not answer, in the words for its name.
    pub(crate) fn wake(error: &WakeError, name: &str) -> Self {
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        match error {
            WakeError::Missing => {
                let message = "There is no such smartbox.";
                Self::new(StatusCode::NOT_FOUND, "smartbox-missing", message, "")
            }
            WakeError::Off => Self::new(
                unavailable,
                "smartbox-off",
                "This smartbox is turned off.",
                format!("Turn it on with `smartbox start {name}`."),
            ),
            WakeError::Failed(failure) => Self::new(
                unavailable,
                "smartbox-failed",
                failure.message.clone(),
                failure.hint.clone(),
            )
            .retry(10),
            WakeError::Late { state } => Self::new(
                unavailable,
                "smartbox-waking",
                format!("This smartbox is still {state}."),
                "Try again in a few seconds.",
            )
            .retry(5),
            WakeError::Draining => Self::new(
                unavailable,
                "draining",
                "The platform is shutting down.",
                "Try again in a moment.",
            )
            .retry(5),
            WakeError::Store(_) => Self::records(),
        }
    }

    /// A still sleeping box, for what is not worth waking it.
    pub(crate) fn asleep() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "smartbox-asleep",
            "This smartbox sleeps, and this request does not wake it.",
            "Open its page, or write to it.",
        )
        .retry(5)
    }

    /// As a response: a page if a person looks at it.
    pub(crate) fn response(&self, html: bool) -> Response<EdgeBody> {
        let mut response = if html { page::refusal(self) } else { self.document() };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn document(&self) -> Response<EdgeBody> {
        let document = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.message,
            "hint": self.hint,
        });
        let mut response = Response::new(EdgeBody::own(document.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
