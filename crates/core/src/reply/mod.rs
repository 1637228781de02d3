//! Replies that are kept under a key of the asker's, so that what is asked twice is done once.

pub mod port;

use std::time::Duration;

use crate::id::AccountId;
use crate::secret::Secret;

/// How long a key is remembered.
pub const KEPT: Duration = Duration::from_hours(24);
/// The most keys that are remembered for one account; beyond them the oldest are forgotten.
pub const MAX_KEYS: u32 = 4_000;
/// The longest reply that is kept, in bytes.
pub const MAX_REPLY: usize = 64 << 10;

/// What was asked, as its asker names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asked {
    /// For which account.
    pub account: AccountId,
    /// Method and path.
    pub route: String,
    /// The asker's key.
    pub key: String,
}

/// How far it is with what was asked. A reply may hold a token that is shown this once, so it is
/// sealed where it lies.
#[derive(Debug, Clone)]
pub enum Before {
    /// Nobody has asked this: the asker's turn has begun, and the key is taken.
    New,
    /// The same was asked, by a process of this name, and there is no reply yet.
    Doing {
        /// The name of the process.
        run: String,
    },
    /// The same was asked, and this was the reply.
    Done(Secret<String>),
    /// The same was asked and done; the reply was too long to keep.
    TooLong,
    /// Something else was asked under this key.
    Other,
}

/// Whether a key is one: 1 to 255 visible characters of ASCII.
pub fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_visible() {
        assert!(is_key("a") && is_key("~!") && is_key(&"x".repeat(255)));
        for bad in ["", "a b", "a\n", "ä", "\u{7f}", &"x".repeat(256)] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
