//! Whether and how a value stands in a place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::forms::SHORTEST;

/// What a path's segment and a query's value need no escape for, with either's separators escaped.
/// The colon stays: a Telegram token has one, and is written with it.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// A longer value costs too much to look for: its owner chooses it, and the answers.
const LONGEST: usize = 1024;

/// What is wrong with a value wherever it would stand. One with a flaw is never sent, so that it is not
/// looked for in answers either.
pub(crate) fn flaw(value: &str) -> Option<&'static str> {
    if value.len() < SHORTEST {
        return Some("it is shorter than 8 characters, too short to be recognised in an answer");
    }
    if value.len() > LONGEST {
        return Some("it is longer than 1024 bytes, too long to be looked for in each answer");
    }
    // Whether one stands for itself or begins an escape, each such character leaves two readings, and
    // a text of many of them exponentially or quadratically many.
    if value.contains(['%', '\\']) {
        return Some("it has a % or a \\, which cannot be told from an escape in an answer");
    }
    if value.contains(char::is_control) {
        return Some("it has a line break or another control character");
    }
    None
}

/// What is wrong with a value in a header.
pub(super) fn flaw_in_header(value: &str) -> Option<&'static str> {
    if value.starts_with(' ') || value.ends_with(' ') {
        return Some("it begins or ends with a space");
    }
    (!value.is_ascii()).then_some("it has characters beyond ASCII")
}

/// What is wrong with a value as the user of basic authentication.
pub(super) fn flaw_in_user(value: &str) -> Option<&'static str> {
    value.contains(':').then_some("a user's name has no colon")
}

/// The value in a path or a query.
pub(super) fn escaped(value: &str) -> String {
    utf8_percent_encode(value, ESCAPED).to_string()
}
