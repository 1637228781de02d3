//! Sealing bytes under a key: XChaCha20-Poly1305 with what the bytes are for as associated data,
//! so that a sealed value moved to another place does not open. No key management here.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use smartbox_core::id::Entropy;
use smartbox_core::store::StoreError;
use zeroize::Zeroizing;

/// A symmetric key, wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

const NONCE: usize = 24;

/// Where a sealed value belongs. Each part is written with its length, so that no two differ only in spacing.
pub(crate) struct Place<'a> {
    /// Whose: `platform`, the id of an account or box, or a use of the platform's own.
    pub(crate) scope: &'a str,
    /// What: the secret's name.
    pub(crate) name: &'a str,
    /// How often it was replaced.
    pub(crate) version: i64,
    /// The row of the key it is sealed under.
    pub(crate) key: i64,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut out = b"smartbox-seal-1".to_vec();
        for part in [self.scope, self.name] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.key.to_be_bytes());
        out
    }
}

/// A new random key.
pub(crate) fn fresh(entropy: &dyn Entropy) -> Key {
    let mut key = Key::default();
    entropy.fill(&mut *key);
    key
}

/// Seals `plain` for `place`: nonce and ciphertext in one.
pub(crate) fn seal(
    key: &Key,
    place: &Place<'_>,
    plain: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE];
    entropy.fill(&mut nonce);
    let aad = place.bytes();
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
        .map_err(|_| StoreError::Sealed)?;
    let mut out = nonce.to_vec();
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made for the same place under the same key; [`StoreError::Sealed`] otherwise.
pub(crate) fn open(
    key: &Key,
    place: &Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let (nonce, text) = sealed.split_first_chunk::<NONCE>().ok_or(StoreError::Sealed)?;
    let aad = place.bytes();
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: &aad })
        .map(Zeroizing::new)
        .map_err(|_| StoreError::Sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    const HERE: Place<'static> = Place { scope: "platform", name: "KEY", version: 1, key: 1 };

    #[test]
    fn only_the_same_key_and_place_open_it() {
        let entropy = Counting(1.into());
        let key = fresh(&entropy);
        let sealed = seal(&key, &HERE, b"canary", &entropy).unwrap();
        assert_eq!(&*open(&key, &HERE, &sealed).unwrap(), b"canary");
        assert!(!sealed.windows(6).any(|w| w == b"canary"));

        assert!(open(&fresh(&entropy), &HERE, &sealed).is_err());
        for other in [
            Place { scope: "platfor", name: "mKEY", ..HERE },
            Place { name: "OTHER", ..HERE },
            Place { version: 2, ..HERE },
            Place { key: 2, ..HERE },
        ] {
            assert!(open(&key, &other, &sealed).is_err());
        }
    }

    #[test]
    fn every_changed_byte_and_every_shorter_text_is_refused() {
        let entropy = Counting(1.into());
        let key = fresh(&entropy);
        let sealed = seal(&key, &HERE, b"canary", &entropy).unwrap();
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(open(&key, &HERE, &bad).is_err(), "byte {at}");
            assert!(open(&key, &HERE, &sealed[..at]).is_err(), "length {at}");
        }
    }
}
