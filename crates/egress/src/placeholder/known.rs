//! What one box holds. Nothing in a placeholder says that it is one: only this set does.

use smartbox_core::egress::Held;
use subtle::ConstantTimeEq as _;

/// The placeholders of a box.
#[derive(Debug, Clone, Default)]
pub struct Known(Vec<Held>);

impl Known {
    /// Those that this box holds.
    pub fn new(held: Vec<Held>) -> Self {
        Self(held)
    }

    /// Each of them.
    pub fn all(&self) -> &[Held] {
        &self.0
    }

    /// Which one this text is. How long that takes tells nothing of those that it is not.
    pub fn find(&self, text: &[u8]) -> Option<usize> {
        let mut found = None;
        for (at, held) in self.0.iter().enumerate() {
            if bool::from(held.placeholder.as_str().as_bytes().ct_eq(text)) {
                found = Some(at);
            }
        }
        found
    }

    /// Which one stands in a text that is read without case, like a host or a header's name.
    pub fn find_within(&self, text: &str) -> Option<usize> {
        let text = text.to_ascii_lowercase();
        let stands = |held: &Held| text.contains(&held.placeholder.as_str().to_ascii_lowercase());
        self.0.iter().position(stands)
    }
}
