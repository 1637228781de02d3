//! Where a secret may go, in words.

use smartbox_api::secret::BoundTo;

use crate::cmd::egress::rules::place;

/// `api.example.com:8443 GET /v1/** in the header `x-api-key``
pub(super) fn words(to: &BoundTo) -> String {
    let mut words = vec![place(&to.host, &to.ports)];
    words.extend((!to.methods.is_empty()).then(|| to.methods.join(",")));
    words.extend(to.paths.iter().cloned());
    let places: Vec<String> = to.places.iter().map(ToString::to_string).collect();
    words.push(format!("in {}", places.join(", ")));
    words.extend(to.in_clear.then(|| "(also without TLS)".to_owned()));
    words.join(" ")
}
