//! A token's three parts, and its signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use serde::Deserialize;
use serde_json::Value;

use crate::cached::Cached;
use crate::jwt::Claims;
use crate::keys::{self, KeySet};
use crate::refused::Refused;

/// A token that nobody believes yet.
pub(crate) struct Token<'text> {
    /// What is signed: head and claims as they are written.
    message: &'text str,
    claims: &'text str,
    signature: &'text str,
    algorithm: Algorithm,
    key: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// What must be understood. We understand no extension.
    #[serde(default)]
    crit: Option<Value>,
}

impl<'text> Token<'text> {
    /// Takes it apart. `accepted` says which algorithms there are; what the token says only chooses
    /// among them.
    pub(crate) fn parse(
        text: &'text str,
        longest: usize,
        accepted: &[Algorithm],
    ) -> Result<Self, Refused> {
        if text.len() > longest {
            return Err(Refused::Long { longest });
        }
        let parts = Refused::Malformed("it has not the three parts of one");
        let Some((message, signature)) = text.rsplit_once('.') else { return Err(parts) };
        let Some((head, claims)) = message.split_once('.') else { return Err(parts) };
        if claims.contains('.') || signature.is_empty() {
            return Err(parts);
        }
        let head: Head = decode(head).ok_or(Refused::Malformed("its head cannot be read"))?;
        if head.crit.is_some() {
            return Err(Refused::Malformed("it demands an extension"));
        }
        let algorithm = head.alg.parse().map_err(|_| Refused::Algorithm)?;
        if !accepted.contains(&algorithm) {
            return Err(Refused::Algorithm);
        }
        Ok(Self { message, claims, signature, algorithm, key: head.kid })
    }

    /// How it is signed.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks the signature with the issuer's keys; what it claims.
    pub(crate) async fn verify(self, issuer: &Cached<KeySet>) -> Result<Claims, Refused> {
        let keys = keys::find(issuer, self.key.as_deref()).await?;
        // The key says what it is for: one of RSA never checks as if it were a shared secret.
        let fitting: Vec<_> =
            keys.iter().filter(|key| key.fits.contains(&self.algorithm)).collect();
        if fitting.is_empty() {
            return Err(Refused::Algorithm);
        }
        let signed = fitting.iter().any(|key| {
            let message = self.message.as_bytes();
            crypto::verify(self.signature, message, &key.key, self.algorithm).unwrap_or(false)
        });
        if !signed {
            return Err(Refused::Signature);
        }
        decode(self.claims).map(Claims::new).ok_or(Refused::Malformed("its claims cannot be read"))
    }
}

fn decode<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}
