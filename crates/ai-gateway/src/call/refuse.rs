//! Refusals of our own, in the words of the vendor whose client asked, so that an engine's own
//! error handling (retry, back off, tell the person) works with them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use crate::call::relay::Reply;
use crate::provider::Protocol;

/// By this the vendors' own clients go before they go by the status.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Why the gateway itself did not pass a call on, or its answer back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "this is not the box's token for the AI gateway. The platform gives it to the engine; restart the box if its configuration was changed"
    )]
    Token,
    #[error(
        "the AI gateway does not serve this address. It serves POST /v1/messages, /v1/messages/count_tokens, /v1/chat/completions and /v1/responses, and GET /v1/models"
    )]
    Route,
    #[error("the request cannot be used: {0}")]
    Body(String),
    #[error(
        "the request is larger than {mib} MiB. Start a new conversation or send smaller attachments"
    )]
    TooLarge { mib: u64 },
    #[error("the request's body is compressed; send it as it is")]
    Encoded,
    #[error("the request did not arrive in time")]
    Drip,
    #[error(
        "no configured provider answers for the model `{0}`. Choose another model, or add it to a provider's `models`"
    )]
    Model(String),
    #[error("there is no key for a model. Add one with `smartbox secret set {0}`")]
    Key(String),
    #[error(
        "the key in the secret `{0}` holds characters that no key has. Set it again with `smartbox secret set {0}`"
    )]
    BadKey(String),
    #[error(
        "the model provider `{provider}` turned the call down for the installation as a whole (its answer: {status}). Look at the account there, or set another key with `smartbox secret set {secret}`"
    )]
    Account { provider: String, secret: String, status: u16 },
    #[error("the vault did not answer; try again")]
    Vault,
    #[error("this box has {0} model calls in flight already; try again when one has ended")]
    TooMany(usize),
    #[error("the AI gateway is busy; try again shortly")]
    Busy,
    #[error(
        "the model provider `{0}` cannot be reached: its host is unreachable. Check this machine's connection, the provider's base address and, behind an inspecting proxy, `SSL_CERT_FILE`"
    )]
    Unreachable(String),
    #[error("the model provider `{0}` broke the connection before it answered; try again")]
    Broken(String),
    #[error("the model provider `{provider}` did not answer within {secs} s; try again")]
    Late { provider: String, secs: u64 },
    #[error(
        "the model provider `{0}` answers from another address. Set its base address to that one"
    )]
    Moved(String),
    #[error("the demo model answers /v1/messages and /v1/chat/completions only")]
    DemoOnly,
    #[error("the demo model was asked to fail with {0}")]
    Asked(u16),
}

impl Refusal {
    /// The status in this protocol: overload is Anthropic's own 529, elsewhere 503.
    pub(crate) fn status(&self, protocol: Protocol) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Route | Self::Model(_) | Self::DemoOnly => StatusCode::NOT_FOUND,
            // Not 401, 402 or 403: at those the engine locks the provider for up to ten minutes, as if
            // the box's own token were bad, and goes on failing after the owner has mended the key.
            Self::Body(_) | Self::Key(_) | Self::BadKey(_) | Self::Account { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Drip => StatusCode::REQUEST_TIMEOUT,
            Self::Vault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy if protocol == Protocol::Openai => StatusCode::SERVICE_UNAVAILABLE,
            Self::Busy => StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            // Not 5xx: at those the engine tries for a minute, and tells the status in its own words. Of
            // this one it tells that the endpoint is unreachable, by that word in ours, after seconds.
            Self::Unreachable(_) => StatusCode::FAILED_DEPENDENCY,
            Self::Broken(_) | Self::Moved(_) => StatusCode::BAD_GATEWAY,
            Self::Late { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Asked(code) => {
                StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The whole answer.
    pub(crate) fn reply(&self, protocol: Protocol) -> Reply {
        let status = self.status(protocol);
        let message = self.to_string();
        let body = match protocol {
            Protocol::Anthropic => json!({
                "type": "error",
                "error": { "type": anthropic_type(status.as_u16()), "message": message },
            }),
            Protocol::Openai => json!({
                "error": {
                    "message": message,
                    "type": openai_type(status.as_u16()),
                    "param": null,
                    "code": openai_code(status.as_u16()),
                },
            }),
        };
        let mut reply = json_reply(status, &body);
        if matches!(status.as_u16(), 429 | 503 | 529) {
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self, Self::Unreachable(_)) {
            reply.headers_mut().insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        reply
    }
}

/// An answer of ours with a JSON body.
pub(crate) fn json_reply(status: StatusCode, body: &serde_json::Value) -> Reply {
    let body = Full::new(Bytes::from(body.to_string()));
    let mut reply = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        408 | 504 => "timeout_error",
        // The call is not at fault.
        424 => "api_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

fn openai_type(status: u16) -> &'static str {
    match status {
        // Not its `server_error`, which is a reason to try again.
        424 => "api_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn openai_code(status: u16) -> &'static str {
    match status {
        401 => "invalid_api_key",
        403 => "permission_denied",
        404 => "not_found",
        408 | 504 => "timeout",
        413 => "request_too_large",
        424 => "provider_unreachable",
        429 => "rate_limit_exceeded",
        400..=499 => "invalid_request",
        503 | 529 => "overloaded",
        502 => "bad_gateway",
        _ => "server_error",
    }
}
