//! How fast a client may talk on one socket, and how many sockets one person may have.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smartbox_core::limit::Bucket;
use tokio::time::Instant;

use crate::settings::Limits;
use crate::ws::frame::Piece;

/// What one client has said so far.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Instant,
    frames: Bucket,
    bytes: Bucket,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), frames: Bucket::default(), bytes: Bucket::default() }
    }

    /// Whether this may be said now.
    pub(crate) fn bears(&mut self, limits: &Limits, piece: &Piece) -> bool {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (frames, length) = match piece {
            Piece::Whole(_, bytes) | Piece::Begin(_, bytes) => (1, bytes.len()),
            Piece::More(bytes) => (0, bytes.len()),
        };
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let bears = |bucket: &mut Bucket, rate, count| match rate {
            Some(rate) if count > 0 => bucket.take(rate, count, now).is_ok(),
            _ => true,
        };
        bears(&mut self.frames, limits.frames, frames)
            && bears(&mut self.bytes, limits.frame_flow, length)
    }
}

/// The open sockets of each person to each box.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<HashMap<String, usize>>>);

/// One of them; counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    visitor: String,
    tally: Tally,
}

impl Tally {
    /// One more, unless there are so many already.
    pub(crate) fn one(&self, visitor: &str, most: usize) -> Option<Counted> {
        let mut counts = self.lock();
        let count = counts.entry(visitor.to_owned()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted { visitor: visitor.to_owned(), tally: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.tally.lock();
        if let Some(count) = counts.get_mut(&self.visitor) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.visitor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_counted_as_long_as_they_are_open() {
        let tally = Tally::default();
        let (one, two) = (tally.one("a", 2), tally.one("a", 2));
        assert!(one.is_some() && two.is_some());
        assert!(tally.one("a", 2).is_none() && tally.one("b", 2).is_some());
        drop(one);
        assert!(tally.one("a", 2).is_some());
        drop(two);
        assert!(tally.lock().is_empty());
    }
}
