//! How deep a JSON5 text is nested. The parser has no limit of its own and the file comes from the
//! box: without this, a megabyte of `[` would end the control plane by overflowing its stack.

/// The deepest nesting of brackets outside strings and comments; never less than what a parser
/// would go into before it fails.
pub(super) fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while at < text.len() {
        match text[at] {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            quote @ (b'"' | b'\'') => at = end_of_string(text, at + 1, quote),
            b'/' if text.get(at + 1) == Some(&b'/') => {
                at = end_of_line(text, at);
            }
            b'/' if text.get(at + 1) == Some(&b'*') => {
                let body = &text[at + 2..];
                at = body.windows(2).position(|w| w == b"*/").map_or(text.len(), |n| at + n + 3);
            }
            _ => {}
        }
        at += 1;
    }
    deepest
}

/// JSON5 ends a comment at a line feed, a carriage return, U+2028 and U+2029.
fn end_of_line(text: &[u8], mut at: usize) -> usize {
    let ends = |rest: &[u8]| matches!(rest, [b'\n' | b'\r', ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..]);
    while at < text.len() && !ends(&text[at..]) {
        at += 1;
    }
    at
}

fn end_of_string(text: &[u8], mut at: usize, quote: u8) -> usize {
    while at < text.len() && text[at] != quote {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_of_the_structure_count() {
        for (text, expected) in [
            ("", 0),
            ("{a:[1,[2]]}", 3),
            (r#"{a:"]]]]",b:'[[[',c:[]}"#, 2),
            (r#"{"a\"[[[":1}"#, 1),
            ("// [[[\n{/* [[[ */}", 1),
            ("[\"never closed [[[", 1),
        ] {
            assert_eq!(depth(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_line_separator_that_ends_a_comment_for_the_parser_hides_nothing() {
        assert!(depth("//\u{2028}[[[".as_bytes()) >= 3);
        assert!(depth(b"//\r[[[") >= 3);
    }
}
