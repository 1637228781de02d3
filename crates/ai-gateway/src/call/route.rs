//! Which operation a request means. Paths are compared, never normalised: what is not exactly one
//! of these is nothing.

use http::{Method, Request};

use crate::meter::Wire;
use crate::provider::Protocol;

/// An operation that the gateway serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/messages`.
    Messages,
    /// `POST /v1/messages/count_tokens`.
    CountTokens,
    /// `POST /v1/chat/completions`.
    Chat,
    /// `POST /v1/responses`.
    Responses,
    /// `GET /v1/models`, in the words of the vendor whose headers it carries.
    Models(Protocol),
}

impl Route {
    /// The operation of a request, if it is one. A request in absolute form is meant for a proxy,
    /// which this is not.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self> {
        let uri = request.uri();
        if uri.authority().is_some() || uri.scheme().is_some() {
            return None;
        }
        match (request.method(), uri.path()) {
            (&Method::POST, "/v1/messages") => Some(Self::Messages),
            (&Method::POST, "/v1/messages/count_tokens") => Some(Self::CountTokens),
            (&Method::POST, "/v1/chat/completions") => Some(Self::Chat),
            (&Method::POST, "/v1/responses") => Some(Self::Responses),
            (&Method::GET, "/v1/models") => Some(Self::Models(spoken(request))),
            _ => None,
        }
    }

    /// What stands behind the version in the provider's address.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::CountTokens => "messages/count_tokens",
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Models(_) => "models",
        }
    }

    /// The protocol it belongs to.
    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::Messages | Self::CountTokens => Protocol::Anthropic,
            Self::Chat | Self::Responses => Protocol::Openai,
            Self::Models(protocol) => protocol,
        }
    }

    /// The words of its answer's usage; none for operations that use no tokens.
    pub(crate) const fn wire(self) -> Option<Wire> {
        match self {
            Self::Messages => Some(Wire::Messages),
            Self::Chat => Some(Wire::Chat),
            Self::Responses => Some(Wire::Responses),
            Self::CountTokens | Self::Models(_) => None,
        }
    }
}

/// Whose words a request speaks where its path does not tell.
pub(crate) fn spoken<B>(request: &Request<B>) -> Protocol {
    let headers = request.headers();
    let anthropic = headers.contains_key("anthropic-version")
        || headers.contains_key(super::authenticate::X_API_KEY)
        || request.uri().path().starts_with("/v1/messages");
    if anthropic { Protocol::Anthropic } else { Protocol::Openai }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, uri: &str) -> Option<Route> {
        Route::of(&Request::builder().method(method).uri(uri).body(()).unwrap())
    }

    #[test]
    fn exactly_these_are_served() {
        assert_eq!(of("POST", "/v1/messages?beta=true"), Some(Route::Messages));
        assert_eq!(of("POST", "/v1/messages/count_tokens"), Some(Route::CountTokens));
        assert_eq!(of("POST", "/v1/chat/completions"), Some(Route::Chat));
        assert_eq!(of("POST", "/v1/responses"), Some(Route::Responses));
        assert_eq!(of("GET", "/v1/models"), Some(Route::Models(Protocol::Openai)));
    }

    #[test]
    fn tricks_lead_nowhere() {
        for (method, uri) in [
            ("GET", "/v1/messages"),
            ("POST", "/v1/models"),
            ("POST", "/v1/messages/"),
            ("POST", "//v1/messages"),
            ("POST", "/v1/messages/../files"),
            ("POST", "/v1/messages/..%2f..%2fadmin"),
            ("POST", "/v1/%6dessages"),
            ("POST", "/V1/messages"),
            ("POST", "http://api.anthropic.com/v1/messages"),
            ("POST", "http://169.254.169.254/v1/messages"),
            ("CONNECT", "api.anthropic.com:443"),
            ("OPTIONS", "*"),
            ("POST", "/v1/organizations/api_keys"),
            ("DELETE", "/v1/messages"),
        ] {
            assert_eq!(of(method, uri), None, "{method} {uri}");
        }
    }
}
