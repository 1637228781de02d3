//! What a browser keeps for us while it is at the provider's, sealed: it can neither read nor change it. So a
//! beginning costs no memory here, and a flood of beginnings ends nobody's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smartbox_core::id::Entropy;

const NONCE: usize = 24;

/// A key of this process alone: what another one sealed is begun anew.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// A fresh one.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut key = [0; 32];
        entropy.fill(&mut key);
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// Seals a value, as text that a cookie can hold.
    pub fn close(&self, entropy: &dyn Entropy, value: &impl Serialize) -> Option<String> {
        let mut sealed = vec![0; NONCE];
        entropy.fill(&mut sealed);
        let nonce = XNonce::try_from(&sealed[..]).ok()?;
        let text = serde_json::to_vec(value).ok()?;
        sealed.extend(self.0.encrypt(&nonce, &text[..]).ok()?);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed, if it was by us.
    pub fn open<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE)?;
        let nonce = XNonce::try_from(nonce).ok()?;
        serde_json::from_slice(&self.0.decrypt(&nonce, sealed).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    #[test]
    fn only_what_this_process_sealed_is_opened() {
        let seal = Seal::new(&SystemEntropy);
        let text = seal.close(&SystemEntropy, &"secret".to_owned()).unwrap();
        assert!(!URL_SAFE_NO_PAD.decode(&text).unwrap().windows(6).any(|part| part == b"secret"));
        assert_eq!(seal.open::<String>(&text).as_deref(), Some("secret"));
        assert_eq!(Seal::new(&SystemEntropy).open::<String>(&text), None);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == text || seal.open::<String>(&changed).is_none());
        }
        for short in ["", "AAAA", "not base64!"] {
            assert_eq!(seal.open::<String>(short), None);
        }
    }
}
