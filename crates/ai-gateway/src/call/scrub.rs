//! Takes the provider's key out of what the box gets back, should a provider echo it. Exact
//! occurrences only: a key that comes back encoded, compressed or in part is not recognised. The
//! mask is as long as the key, so that no length changes.

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use smartbox_core::secret::Secret;
use zeroize::Zeroizing;

/// Shorter keys are not looked for: they would match by chance.
const SHORTEST: usize = 8;

/// Masks one key in a stream of bytes, across the borders of its pieces.
pub(crate) struct Scrub {
    key: Zeroizing<Vec<u8>>,
    held: BytesMut,
}

impl Scrub {
    /// Looks for this key; none if there is nothing to look for.
    pub(crate) fn new(key: &Secret<String>) -> Option<Self> {
        let key = key.expose().trim().as_bytes();
        (key.len() >= SHORTEST)
            .then(|| Self { key: Zeroizing::new(key.to_vec()), held: BytesMut::new() })
    }

    /// Whether the key occurs in `text`.
    pub(crate) fn occurs_in(&self, text: &[u8]) -> bool {
        memchr::memmem::find(text, &self.key).is_some()
    }

    /// A piece passes; what is safe to send of it comes back. Bytes that might begin the key are
    /// held until the next piece tells.
    pub(crate) fn pass(&mut self, piece: Bytes) -> Bytes {
        let tail = self.beginning_at_end(&piece);
        if self.held.is_empty() && tail == 0 && !self.occurs_in(&piece) {
            return piece;
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(&piece);
        let finder = Finder::new(self.key.as_slice());
        let mut from = 0;
        while let Some(at) = finder.find(&all[from..]) {
            let (begin, end) = (from + at, from + at + self.key.len());
            all[begin..end].fill(b'*');
            from = end;
        }
        let keep = self.beginning_at_end(&all);
        self.held = all.split_off(all.len() - keep);
        all.freeze()
    }

    /// The end: what was held is harmless.
    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }

    /// How many of the last bytes may be the beginning of the key.
    fn beginning_at_end(&self, bytes: &[u8]) -> usize {
        let most = bytes.len().min(self.key.len() - 1);
        (1..=most).rev().find(|&n| bytes.ends_with(&self.key[..n])).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "sk-sk-canary";

    fn scrub(pieces: &[&[u8]]) -> Vec<u8> {
        let mut scrub = Scrub::new(&Secret::new(format!(" {KEY}\n"))).unwrap();
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&scrub.pass(Bytes::copy_from_slice(piece)));
        }
        out.extend_from_slice(&scrub.rest());
        out
    }

    #[test]
    fn short_keys_are_left_alone() {
        assert!(Scrub::new(&Secret::new("a".to_owned())).is_none());
    }

    proptest! {
        #[test]
        fn the_key_never_passes_however_it_is_cut(
            parts in prop::collection::vec(prop_oneof![
                Just(KEY.to_owned()), Just("sk-".to_owned()), Just("sk-sk-can".to_owned()), "[a-z*]{0,5}",
            ], 0..12),
            cuts in prop::collection::vec(1..20_usize, 1..20),
        ) {
            let text = parts.concat();
            let mut pieces = Vec::new();
            let (mut rest, mut cut) = (text.as_bytes(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, left) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = left;
            }
            let expected = text.replace(KEY, &"*".repeat(KEY.len()));
            prop_assert_eq!(String::from_utf8(scrub(&pieces)).unwrap(), expected);
        }
    }
}
