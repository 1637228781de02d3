//! Fencing: the highest token seen rules; a caller with a lower one has lost the box.

use std::sync::atomic::{AtomicU64, Ordering};

/// The highest fencing token seen.
pub(crate) struct Fence(AtomicU64);

impl Fence {
    pub(crate) fn new(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    /// Whether a caller with `token` may act. A higher token shuts out the lower ones from now on.
    pub(crate) fn admits(&self, token: u64) -> bool {
        self.0.fetch_max(token, Ordering::Relaxed) <= token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_token_is_shut_out_once_a_higher_one_was_seen() {
        let fence = Fence::new(3);
        assert!(!fence.admits(2));
        assert!(fence.admits(3));
        assert!(fence.admits(9));
        assert!(!fence.admits(3));
        assert!(fence.admits(9));
    }
}
