//! What browsers in a box are told. They follow the proxy's variables, but have roots of their own, which
//! only a policy adds to (`CACertificates`, Chromium 127 and later).

use bytes::Bytes;

/// The policy: whom to trust besides the browser's own roots, of certificates in PEM (RFC 7468).
pub(super) fn policy<'p>(pems: impl IntoIterator<Item = &'p str>) -> Bytes {
    let certificates: Vec<String> = pems.into_iter().flat_map(bodies).collect();
    serde_json::json!({ "CACertificates": certificates }).to_string().into()
}

/// What stands between the lines of PEM is DER in Base64, as the policy wants it, but on one line.
fn bodies(pem: &str) -> impl Iterator<Item = String> {
    pem.split("-----BEGIN CERTIFICATE-----").skip(1).filter_map(|rest| {
        let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
        Some(body.split_ascii_whitespace().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_certificate_is_one_line_of_the_policy() {
        let one = "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n";
        let two = format!("{one}{}", one.replace("AAAA", "CCCC"));
        assert_eq!(
            policy([one, &two, "", "-----BEGIN CERTIFICATE-----\ncut"]),
            r#"{"CACertificates":["AAAABB==","AAAABB==","CCCCBB=="]}"#
        );
    }
}
