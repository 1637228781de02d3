//! DPoP (RFC 9449): a proof, made anew for each request, that whoever sends it has the key that its
//! token is bound to. Ed25519 alone; the proof carries the key. Pure: what is in it is checked where it
//! is known what was asked, and when.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smartbox_core::device::PublicKey;

/// The header with the proof.
pub const HEADER: &str = "dpop";
/// The scheme of `Authorization` with a token that is bound to a key.
pub const SCHEME: &str = "DPoP";
/// No proof of ours is longer.
const LONGEST: usize = 4096;

const KIND: &str = "dpop+jwt";

/// What a proof says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Chance: of two proofs with the same, one is a replay.
    pub jti: String,
    /// The method of the request.
    pub htm: String,
    /// The address of the request, without query and fragment.
    pub htu: String,
    /// When it was made, in seconds since the Unix epoch.
    pub iat: i64,
    /// Of the token that comes with it: see [`token_hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// What the platform gave to be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// A proof whose signature is good: made by whoever has this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key.
    pub key: PublicKey,
    /// What it says.
    pub claims: Claims,
}

/// The text is no proof: not in form, or not signed by the key in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the DPoP proof is not one, or not signed by its key")]
pub struct BadProof;

#[derive(Serialize, Deserialize)]
struct Head {
    typ: String,
    alg: String,
    jwk: Jwk,
    /// Extensions that must be understood: none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    /// The private half, which nobody may send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
}

/// What a proof says of the token that comes with it.
pub fn token_hash(token: &str) -> String {
    BASE64.encode(Sha256::digest(token.as_bytes()))
}

/// The public half.
pub fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

/// Makes a proof.
pub fn sign(key: &SigningKey, claims: &Claims) -> String {
    let jwk =
        Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: BASE64.encode(public(key).0), d: None };
    let head = Head { typ: KIND.into(), alg: "EdDSA".into(), jwk, crit: None };
    let part = |value: Result<Vec<u8>, serde_json::Error>| {
        // Our own types: strings and numbers, which always serialise.
        BASE64.encode(value.unwrap_or_default())
    };
    let text = format!("{}.{}", part(serde_json::to_vec(&head)), part(serde_json::to_vec(claims)));
    let signature = key.sign(text.as_bytes());
    format!("{text}.{}", BASE64.encode(signature.to_bytes()))
}

/// Reads a proof, and looks whether the key in it signed it.
pub fn read(text: &str) -> Result<Proof, BadProof> {
    checked(text).ok_or(BadProof)
}

fn checked(text: &str) -> Option<Proof> {
    if text.len() > LONGEST {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Head = serde_json::from_slice(&BASE64.decode(head).ok()?).ok()?;
    let Jwk { kty, crv, x, d } = head.jwk;
    let known = head.typ.eq_ignore_ascii_case(KIND) && head.alg == "EdDSA";
    if !known || kty != "OKP" || crv != "Ed25519" || d.is_some() || head.crit.is_some() {
        return None;
    }
    let key: [u8; 32] = BASE64.decode(x).ok()?.try_into().ok()?;
    let signature = Signature::from_slice(&BASE64.decode(signature).ok()?).ok()?;
    // Strict: a key of small order would let one signature stand for many texts.
    let verifying = VerifyingKey::from_bytes(&key).ok()?;
    verifying.verify_strict(signed.as_bytes(), &signature).ok()?;
    let claims: Claims = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    Some(Proof { key: PublicKey(key), claims })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            jti: "j".into(),
            htm: "GET".into(),
            htu: "http://127.0.0.1/x".into(),
            iat: 5,
            ath: Some(token_hash("t")),
            nonce: None,
        }
    }

    #[test]
    fn a_proof_is_read_back_with_its_key() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let proof = read(&sign(&key, &claims())).unwrap();
        assert_eq!(proof, Proof { key: public(&key), claims: claims() });
    }

    #[test]
    fn what_its_key_did_not_sign_is_no_proof() {
        let (key, other) = (SigningKey::from_bytes(&[7; 32]), SigningKey::from_bytes(&[8; 32]));
        let (good, theirs) = (sign(&key, &claims()), sign(&other, &claims()));
        let parts: Vec<&str> = good.split('.').collect();
        let others: Vec<&str> = theirs.split('.').collect();
        let head = |head: serde_json::Value| BASE64.encode(head.to_string());
        let x = BASE64.encode(public(&key).0);
        let jwk = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let signed = |head: String| {
            let text = format!("{head}.{}", parts[1]);
            let signature = BASE64.encode(key.sign(text.as_bytes()).to_bytes());
            format!("{text}.{signature}")
        };
        let json = |alg: &str, typ: &str, jwk: &serde_json::Value| {
            signed(head(serde_json::json!({ "typ": typ, "alg": alg, "jwk": jwk })))
        };
        assert!(read(&json("EdDSA", KIND, &jwk)).is_ok());
        let private = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "d": "AA" });
        let elliptic = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": x });
        let bad = [
            String::new(),
            "..".into(),
            "a.b.c".into(),
            format!("{}.{}.{}", others[0], parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], parts[1], others[2]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{good}.x"),
            json("none", KIND, &jwk),
            json("HS256", KIND, &jwk),
            json("EdDSA", "jwt", &jwk),
            json("EdDSA", KIND, &private),
            json("EdDSA", KIND, &elliptic),
            "A".repeat(LONGEST + 1),
        ];
        for text in bad {
            assert_eq!(read(&text), Err(BadProof), "{text}");
        }
    }
}
