//! What the engine adds to a person's words, and how to take it off again.

const INTERNAL: &str = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>";
const INTERNAL_END: &str = "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";
/// How a block of facts about the sender begins that stands before the words; a fence ends it.
const CONTEXT: &str = "Conversation info: ";
const FENCE: &str = "```";

/// The person's own words: without the engine's internal context and without time stamps.
pub(crate) fn own(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some(begin) = rest.find(INTERNAL) {
        kept.push_str(&rest[..begin]);
        rest = match rest[begin..].find(INTERNAL_END) {
            Some(end) => &rest[begin + end + INTERNAL_END.len()..],
            None => "",
        };
    }
    kept.push_str(rest);
    uncontexted(unstamped(&kept).trim()).trim().to_owned()
}

/// The text without the engine's block of facts about who sent it.
fn uncontexted(text: &str) -> &str {
    let block = text.strip_prefix(CONTEXT).and_then(|rest| rest.split_once(FENCE));
    block.and_then(|(_, rest)| rest.split_once(FENCE)).map_or(text, |(_, words)| words)
}

/// The text without stamps like `[Mon 2026-11-23 13:13 UTC] `.
pub(crate) fn unstamped(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        kept.push_str(&rest[..at]);
        match stamp(&rest[at..]) {
            Some(length) => rest = &rest[at + length..],
            None => {
                kept.push('[');
                rest = &rest[at + 1..];
            }
        }
    }
    kept.push_str(rest);
    // What closed around a stamp may be one now.
    if kept.len() < text.len() { unstamped(&kept) } else { kept }
}

/// The length of the stamp that `text` begins with, and of the space after it.
fn stamp(text: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"[Aaa 0000-00-00 00:00";
    let bytes = text.as_bytes();
    let fits = |(&shape, &byte): (&u8, &u8)| match shape {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    if bytes.len() < SHAPE.len() || !SHAPE.iter().zip(bytes).all(fits) {
        return None;
    }
    let end = SHAPE.len() + bytes[SHAPE.len()..].iter().take(32).position(|&b| b == b']')? + 1;
    Some(end + usize::from(bytes.get(end) == Some(&b' ')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stamps_and_internal_context_are_taken_off() {
        for (given, left) in [
            ("[Mon 2026-11-23 13:13 UTC] hello", "hello"),
            ("[Mon 2026-11-23 13:13] hello [x]", "hello [x]"),
            ("a\n[Tue 2026-11-24 09:00 GMT+1] b", "a\nb"),
            ("<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nsecret", ""),
            (
                "a <<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>x<<<END_OPENCLAW_INTERNAL_CONTEXT>>> b",
                "a  b",
            ),
            (
                "[Mon 2026-11-23 16:56 UTC] Conversation info: x\n```json\n{\"a\":1}\n```\n\nhello",
                "hello",
            ),
            ("Conversation info: mine", "Conversation info: mine"),
            ("[Mon 2026-11-23", "[Mon 2026-11-23"),
            ("[Mon [Mon 2026-11-23 13:13 UTC] 2026-11-23 13:13 UTC] x", "x"),
        ] {
            assert_eq!(own(given), left, "{given}");
        }
    }

    proptest! {
        #[test]
        fn no_stamp_is_left(
            parts in prop::collection::vec(
                prop_oneof![Just("[Mon 2026-11-23 13:13 UTC] "), Just("[Mon "), Just("2026-11-23 13:13]"), Just("é[")],
                0..8,
            ),
        ) {
            let left = unstamped(&parts.concat());
            prop_assert!((0..left.len()).all(|at| !left.is_char_boundary(at) || stamp(&left[at..]).is_none()));
        }
    }
}
