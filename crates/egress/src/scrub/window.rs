//! The filter over a stream: what may still become a value is held until it is clear.

use bytes::{Bytes, BytesMut};

use super::Scrub;

/// Masks values in a stream, across the borders of its pieces. What it gives back is what it was
/// given, as long and in the same order, but for the masks.
#[derive(Debug)]
pub struct Window {
    scrub: Scrub,
    /// Not passed on yet, as it came.
    held: BytesMut,
    /// How many of the held bytes lie in a value that began before them.
    covered: usize,
    hits: u64,
}

impl Window {
    pub(super) fn new(scrub: Scrub) -> Self {
        Self { scrub, held: BytesMut::new(), covered: 0, hits: 0 }
    }

    /// How many values were masked.
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// Whether something is held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// A piece passes; what is safe to send of it and of what was held comes back, maybe nothing.
    pub fn pass(&mut self, piece: Bytes) -> Bytes {
        if self.held.is_empty() {
            let spans = self.scrub.hunt().spans(&piece);
            let keep = self.scrub.hunt().open_from(&piece);
            if spans.is_empty() {
                // The way of nearly everything: not a byte is copied but those that are held.
                if keep == piece.len() {
                    return piece;
                }
                self.held.extend_from_slice(&piece[keep..]);
                return piece.slice(..keep);
            }
        }
        self.held.extend_from_slice(&piece);
        let keep = self.scrub.hunt().open_from(&self.held);
        self.give(keep)
    }

    /// The end: what was held comes back.
    pub fn rest(&mut self) -> Bytes {
        let all = self.held.len();
        self.give(all)
    }

    /// Gives all before `keep`, masked. Values that begin after it will be found again.
    fn give(&mut self, keep: usize) -> Bytes {
        let spans = self.scrub.hunt().spans(&self.held);
        let (mut covered, mut given) = (self.covered, 0);
        for span in spans.iter().take_while(|span| span.start < keep) {
            covered = covered.max(span.end);
            given += 1;
        }
        let mut out = self.held.split_to(keep);
        self.scrub.cover_first(&mut out, self.covered);
        self.scrub.cover(&mut out, &spans);
        self.covered = covered.saturating_sub(keep);
        self.hits += given;
        out.freeze()
    }
}
