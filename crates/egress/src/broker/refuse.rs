//! Refusals as a program in a box sees them: most show the reason phrase and nothing else, so that it
//! holds the advice; the body says it whole (RFC 9457).

use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use hyper::ext::ReasonPhrase;
use smartbox_core::egress::address::is_stand_in;
use smartbox_core::egress::{Quota, Refusal};

use super::Inner;
use super::body::Body;

/// The header that tells our refusals from a server's.
pub(crate) const WHY: &str = "x-smartbox-egress";

/// What is said to a box.
pub(crate) struct Advice {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) hint: String,
}

pub(crate) fn advice(why: Refusal, name: &str, host: &str, port: u16, quota: &Quota) -> Advice {
    let at = if port == 443 { host.to_owned() } else { format!("{host}:{port}") };
    let allow = format!("smartbox egress allow {name} {at}");
    let (status, title, hint) = match why {
        Refusal::NotListed => (
            403,
            format!("{at} is not allowed for {name}"),
            format!("its owner allows it with: {allow}"),
        ),
        Refusal::Port => (
            403,
            format!("port {port} of {host} is not allowed for {name}"),
            format!("its owner allows it with: {allow}"),
        ),
        Refusal::Request => (
            403,
            format!("{name} may not ask this of {at}"),
            format!("its owner sees what it may with: smartbox egress {name}"),
        ),
        Refusal::Denied => (
            403,
            format!("{at} is refused for {name}"),
            format!("its owner sees by whom with: smartbox egress {name}"),
        ),
        Refusal::Host => {
            (400, "that is no host on the internet".into(), "name it in its usual form".into())
        }
        Refusal::Private => (
            403,
            format!("{at} is not on the public internet"),
            "only the operator opens private addresses: egress.private in smartbox.toml".into(),
        ),
        Refusal::Unresolved if stands(host) => (
            502,
            format!("{host} stands for no name of {name}, or no longer"),
            "look the name up again, or give the proxy the name".into(),
        ),
        Refusal::Unresolved => (502, format!("{host} has no address"), "check its spelling".into()),
        Refusal::Unreachable => (504, format!("{at} does not answer"), "try again later".into()),
        Refusal::Mismatch => (
            403,
            format!("the request names another host than {host}"),
            "TLS and HTTP must name the host that the proxy was asked for".into(),
        ),
        Refusal::Secret => (
            403,
            format!("a secret does not belong to {at}"),
            format!("its owner sees where it does with: smartbox egress {name}"),
        ),
        Refusal::Untrusted => (
            403,
            format!(
                "TLS to {at} is opened, and the program does not trust the smartbox's authority"
            ),
            "it is in the file that SSL_CERT_FILE names".into(),
        ),
        Refusal::Limit => (
            429,
            format!("{name} has too many connections"),
            "close some, or try again later".into(),
        ),
        Refusal::Rate => (
            429,
            format!("{name} makes more than {} connections in a minute", quota.per_minute),
            "wait a minute; the operator raises it: egress.per_minute in smartbox.toml".into(),
        ),
        Refusal::Volume => (
            429,
            format!("{name} has used up its bytes of today ({})", bytes(quota)),
            "the next day begins at 00:00 UTC; the operator raises it: egress.out_per_day and \
             egress.in_per_day in smartbox.toml"
                .into(),
        ),
        Refusal::Malformed => (
            400,
            "the broker cannot read this request".into(),
            "it serves HTTP/1.1 and CONNECT".into(),
        ),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    Advice { status, title, hint }
}

fn stands(host: &str) -> bool {
    host.parse().is_ok_and(is_stand_in)
}

/// Whether an answer is one of these.
pub(crate) fn is_refusal(response: &Response<Body>) -> bool {
    response.headers().contains_key(WHY)
}

/// Both limits of a day, where there are such.
fn bytes(quota: &Quota) -> String {
    let of = |limit: u64, way: &str| match limit {
        0 => None,
        _ => Some(format!("{} {way}", size(limit))),
    };
    let both: Vec<String> = of(quota.up, "out").into_iter().chain(of(quota.down, "in")).collect();
    both.join(", ")
}

/// As it is written in the settings.
fn size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = units.into_iter().find(|(bits, _)| bytes.trailing_zeros() >= *bits);
    whole.map_or_else(|| format!("{bytes} B"), |(bits, unit)| format!("{} {unit}", bytes >> bits))
}

impl Inner {
    /// The answer to a box that may not.
    pub(crate) fn refuse(&self, why: Refusal, name: &str, host: &str, port: u16) -> Response<Body> {
        let quota = &self.parts.limits.quota;
        let mut response = answer(why, advice(why, name, host, port, quota));
        if let Some(again) = quota.again(why, self.parts.clock.now()) {
            response.headers_mut().insert(RETRY_AFTER, again.as_secs().max(1).into());
        }
        response
    }

    /// The same, where more is known than the kind of refusal.
    pub(crate) fn refuse_since(
        &self,
        why: Refusal,
        said: String,
        name: &str,
        host: &str,
        port: u16,
    ) -> Response<Body> {
        let advice = advice(why, name, host, port, &self.parts.limits.quota);
        answer(why, Advice { title: said, ..advice })
    }
}

/// The answer. The connection ends with it, for what follows cannot be trusted to begin where we think.
fn answer(why: Refusal, advice: Advice) -> Response<Body> {
    let Advice { status, title, hint } = advice;
    let problem = serde_json::json!({
        "type": format!("urn:smartbox:egress:{why}"),
        "title": title, "status": status.as_u16(), "code": why.as_str(), "hint": hint,
    });
    let mut response = Response::new(Body::text(format!("{problem}\n")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(WHY, HeaderValue::from_static(why.as_str()));
    let phrase: String = format!("{title}; {hint}").chars().filter(char::is_ascii).collect();
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        response.extensions_mut().insert(phrase);
    }
    response
}
