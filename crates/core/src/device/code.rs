//! What people compare and type: the code by which a request is approved, and digits that both sides
//! show.

use sha2::{Digest, Sha256};

use super::PublicKey;
use crate::id::Entropy;

/// RFC 8628, 6.1: no vowels, so that no word comes of it, and nothing that looks like another.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// A new code: 8 letters of 20, 34 bits.
pub fn user_code(entropy: &dyn Entropy) -> String {
    let mut code = String::with_capacity(LENGTH);
    while code.len() < LENGTH {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        // What is past the last whole turn of the letters would favour the first of them.
        let even = bytes.iter().filter(|byte| **byte < 240);
        let letters = even.map(|byte| char::from(LETTERS[usize::from(byte % 20)]));
        code.extend(letters.take(LENGTH - code.len()));
    }
    code
}

/// As people read it: `XXXX-XXXX`.
pub fn shown(code: &str) -> String {
    match code.split_at_checked(LENGTH / 2) {
        Some((first, second)) if !second.is_empty() => format!("{first}-{second}"),
        _ => code.to_owned(),
    }
}

/// The code that somebody typed, whatever the case and whatever stands between the letters; `None` if
/// it is none.
pub fn typed(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    let code: Vec<u8> = letters.map(|b| b.to_ascii_uppercase()).collect();
    let good = code.len() == LENGTH && code.iter().all(|b| LETTERS.contains(b));
    good.then(|| code.into_iter().map(char::from).collect())
}

/// What is kept of a code, or of another value that is shown once.
pub fn hash(value: &str) -> String {
    hex::encode(Sha256::digest(value.as_bytes()))
}

/// Six digits of the key that the platform saw and of its nonce: the device computes them from its own
/// key, and the two differ if somebody in between has put in another one.
pub fn comparison(key: Option<&PublicKey>, nonce: &str) -> String {
    let mut hasher = Sha256::new();
    if let Some(key) = key {
        hasher.update(key.0);
    }
    hasher.update(nonce.as_bytes());
    let digest: [u8; 32] = hasher.finalize().into();
    let (head, _) = digest.split_at(8);
    let number = head.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU8, Ordering};

    struct Counting(AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) {
            for byte in out {
                *byte = self.0.fetch_add(7, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_code_is_typed_as_people_type() {
        let code = user_code(&Counting(AtomicU8::new(0)));
        assert_eq!(typed(&code), Some(code.clone()));
        assert_eq!(typed(&shown(&code)), Some(code.clone()));
        assert_eq!(typed(&format!(" {} ", shown(&code).to_lowercase())), Some(code.clone()));
        for bad in ["", "BCDF", "BCDF-GHJA", "BCDF-GHJK-L", "ВСDFGHJK", &"B".repeat(80)] {
            assert_eq!(typed(bad), None, "{bad}");
        }
    }

    #[test]
    fn codes_use_every_letter_and_no_other() {
        let entropy = Counting(AtomicU8::new(3));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            seen.extend(user_code(&entropy).into_bytes());
        }
        assert_eq!(seen, LETTERS.iter().copied().collect());
    }

    #[test]
    fn both_sides_see_the_same_digits_only_of_the_same_key() {
        let (ours, theirs) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let digits = comparison(Some(&ours), "n");
        assert_eq!(digits, comparison(Some(&ours), "n"));
        assert!(digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(digits, comparison(Some(&theirs), "n"));
        assert_ne!(digits, comparison(Some(&ours), "m"));
        assert_ne!(digits, comparison(None, "n"));
    }
}
