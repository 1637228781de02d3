//! Sends a call to its provider, with the real key, and brings back the head of the answer.

use std::sync::{Arc, OnceLock};

use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Body;
use smartbox_core::secret::Secret;
use zeroize::Zeroizing;

use crate::call::authenticate::X_API_KEY;
use crate::call::headers;
use crate::call::peek::Peeked;
use crate::call::refuse::Refusal;
use crate::call::route::Route;
use crate::gateway::Provider;
use crate::provider::{Protocol, address};

/// What is asked of a provider.
pub(crate) struct Ask<'a> {
    /// The operation.
    pub(crate) route: Route,
    /// The request's query, as it came.
    pub(crate) query: Option<&'a str>,
    /// The request's headers, as they came.
    pub(crate) headers: &'a HeaderMap,
    /// The body; none for operations without.
    pub(crate) body: Option<Peeked>,
}

/// Sends it. The answer's body has not been read yet.
pub(crate) async fn forward(
    provider: &Provider,
    key: Option<&Secret<String>>,
    ask: Ask<'_>,
) -> Result<reqwest::Response, Refusal> {
    let name = &provider.config.name;
    let url = address::of(&provider.base, ask.route.operation(), ask.query);
    let mut headers = headers::up(ask.headers);
    if let Some(key) = key {
        let (name, value) = credential(provider, key)?;
        headers.insert(name, value);
    }
    let method = if ask.body.is_some() { Method::POST } else { Method::GET };
    let mut request = provider.client.request(method, url);
    let why = Arc::new(OnceLock::new());
    if let Some(body) = ask.body {
        if let Some(length) = body.exact() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        request = request.body(Body::wrap_stream(body.stream(why.clone())));
    }
    let wait = provider.config.timeouts.answer;
    let late = || Refusal::Late { provider: name.clone(), secs: wait.as_secs() };
    let sent = tokio::time::timeout(wait, request.headers(headers).send()).await;
    let response = match sent {
        Err(_) => return Err(late()),
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            if let Some(refusal) = why.get() {
                return Err(refusal.clone());
            }
            let error = error.without_url();
            tracing::warn!(provider = name, error = ?error, "the provider did not answer");
            return Err(match () {
                () if error.is_connect() => Refusal::Unreachable(name.clone()),
                () if error.is_timeout() => late(),
                () => Refusal::Broken(name.clone()),
            });
        }
    };
    let status = response.status();
    if status.is_redirection() || status.is_informational() {
        // Following would carry the key elsewhere.
        return Err(Refusal::Moved(name.clone()));
    }
    Ok(response)
}

/// The header that carries the key.
fn credential(
    provider: &Provider,
    key: &Secret<String>,
) -> Result<(HeaderName, HeaderValue), Refusal> {
    let key = key.expose().trim();
    let (name, text) = match provider.config.protocol {
        Protocol::Anthropic => (HeaderName::from_static(X_API_KEY), Zeroizing::new(key.to_owned())),
        Protocol::Openai => (AUTHORIZATION, Zeroizing::new(format!("Bearer {key}"))),
    };
    let secret = || provider.config.secret.clone().unwrap_or_default();
    let mut value = HeaderValue::from_str(&text).map_err(|_| Refusal::BadKey(secret()))?;
    value.set_sensitive(true);
    Ok((name, value))
}
