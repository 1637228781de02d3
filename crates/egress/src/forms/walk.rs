//! One walk along a text: does a needle stand here, in whatever mix of escapes?

use super::escape::{Escape, read};

/// How a walk ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walk {
    /// Where the needle ends; the last such place.
    pub(super) end: Option<usize>,
    /// Whether the text ended before the needle did.
    pub(super) open: bool,
}

/// Walks along `text` from `at`, where the needle's bytes before `from` were seen already.
pub(super) fn walk(needle: &[u8], text: &[u8], at: usize, from: usize) -> Walk {
    let mut walk = Walk::default();
    // A needle that itself has a `%` or a `\` may be read in two ways. Each other way is taken once.
    let mut later: Vec<(usize, usize)> = Vec::new();
    let mut taken = 0;
    let mut now = (at, from);
    loop {
        match step(needle, text, now, &mut walk) {
            (Some(next), other) => {
                if let Some(other) = other.filter(|other| !later.contains(other)) {
                    later.push(other);
                }
                now = next;
            }
            (None, Some(next)) => now = next,
            (None, None) if taken < later.len() => {
                now = later[taken];
                taken += 1;
            }
            (None, None) => return walk,
        }
    }
}

type Place = (usize, usize);

/// One step: on by a plain byte, on by an escape.
fn step(
    needle: &[u8],
    text: &[u8],
    (at, from): Place,
    walk: &mut Walk,
) -> (Option<Place>, Option<Place>) {
    let Some(wanted) = needle.get(from) else {
        walk.end = walk.end.max(Some(at));
        return (None, None);
    };
    let Some(byte) = text.get(at) else {
        walk.open = true;
        return (None, None);
    };
    let plain = (byte == wanted).then_some((at + 1, from + 1));
    if !matches!(byte, b'%' | b'\\' | b'+') {
        return (plain, None);
    }
    match read(&text[at..]) {
        Escape::Is(decoded, long) if needle[from..].starts_with(decoded.as_slice()) => {
            (plain, Some((at + long, from + decoded.as_slice().len())))
        }
        Escape::Cut => {
            walk.open = true;
            (plain, None)
        }
        Escape::Is(..) | Escape::No => (plain, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_once(needle: &str, text: &str) -> (Option<usize>, bool) {
        let walk = walk(needle.as_bytes(), text.as_bytes(), 0, 0);
        (walk.end, walk.open)
    }

    #[test]
    fn escapes_are_mixed_as_they_come() {
        assert_eq!(at_once("a/b c", "a%2fb+c"), (Some(7), false));
        assert_eq!(at_once("a/b c", r"\u0061\/b%20c!"), (Some(13), false));
        assert_eq!(at_once("äb", r"%C3\u00e4"), (None, false));
        assert_eq!(at_once("äb", "%C3%a4b"), (Some(7), false));
        assert_eq!(at_once("abc", "ab"), (None, true));
        assert_eq!(at_once("abc", "ab%6"), (None, true));
        assert_eq!(at_once("abc", "abd"), (None, false));
    }

    #[test]
    fn a_percent_in_the_needle_is_plain_or_escaped() {
        assert_eq!(at_once("x%41y", "x%41y"), (Some(5), false));
        assert_eq!(at_once("x%41y", "x%2541y"), (Some(7), false));
        assert_eq!(at_once("x%41y", "%78%41y"), (Some(7), false));
        // Its first escape may be the needle's last percent sign.
        assert_eq!(at_once("%25%25%25", "%25%25%25"), (Some(9), true));
        assert_eq!(at_once(r"a\nb", r"a\\nb"), (Some(5), false));
        assert_eq!(at_once(r"a\nb", r"a\nb"), (Some(4), false));
    }

    #[test]
    fn a_needle_of_percents_is_walked_in_bounded_time() {
        let needle = "%25".repeat(200);
        assert_eq!(at_once(&needle, &needle).0, Some(600));
    }
}
