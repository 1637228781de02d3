//! Where a secret may go, in words.

use smartbox_api::secret::BoundTo;

/// `api.example.com:8443 GET /v1/** in the header `x-api-key``
pub(super) fn words(to: &BoundTo) -> String {
    let ports: Vec<String> = to.ports.iter().map(u16::to_string).collect();
    let usual = to.ports == [443];
    let mut words =
        vec![if usual { to.host.clone() } else { format!("{}:{}", to.host, ports.join(",")) }];
    words.extend((!to.methods.is_empty()).then(|| to.methods.join(",")));
    words.extend(to.paths.iter().cloned());
    let places: Vec<String> = to.places.iter().map(ToString::to_string).collect();
    words.push(format!("in {}", places.join(", ")));
    words.extend(to.in_clear.then(|| "(also without TLS)".to_owned()));
    words.join(" ")
}
