//! A published key, and what it can check.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// Bytes of an RSA modulus. A shorter one can be broken, a longer one costs whoever checks.
const RSA: std::ops::RangeInclusive<usize> = 256..=512;

/// A key of an issuer.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: Option<String>,
    /// What it may be used for: by its kind, and by what it says itself.
    pub(crate) fits: Vec<Algorithm>,
    pub(crate) key: DecodingKey,
}

impl Key {
    /// Reads a JSON Web Key; none if it cannot check signatures of a kind that anybody accepts here.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(uses) = value.get("key_ops").and_then(Value::as_array)
            && !uses.iter().any(|one| one == "verify")
        {
            return None;
        }
        let (mut fits, key) = match text("kty")? {
            "RSA" => {
                let (n, e) = (bytes(text("n")?)?, bytes(text("e")?)?);
                let n = trimmed(&n);
                if !RSA.contains(&n.len()) {
                    return None;
                }
                let key = DecodingKey::from_rsa_raw_components(n, &e);
                (vec![Algorithm::RS256, Algorithm::PS256], key)
            }
            "EC" if text("crv")? == "P-256" => {
                let (x, y) = (text("x")?, text("y")?);
                if bytes(x)?.len() != 32 || bytes(y)?.len() != 32 {
                    return None;
                }
                (vec![Algorithm::ES256], DecodingKey::from_ec_components(x, y).ok()?)
            }
            "OKP" if text("crv")? == "Ed25519" => {
                let x = text("x")?;
                if bytes(x)?.len() != 32 {
                    return None;
                }
                (vec![Algorithm::EdDSA], DecodingKey::from_ed_components(x).ok()?)
            }
            _ => return None,
        };
        if let Some(alg) = text("alg") {
            // `Ed25519` is what newer issuers call it.
            let only = if alg == "Ed25519" { Algorithm::EdDSA } else { alg.parse().ok()? };
            fits.retain(|fit| *fit == only);
        }
        (!fits.is_empty()).then(|| Self { id: text("kid").map(str::to_owned), fits, key })
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn trimmed(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    &number[first..]
}
