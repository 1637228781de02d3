//! The hunt for several texts exactly as they are.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, Input, MatchKind, Span, StartKind};

/// Finds the first of some needles, and of those that begin together the longest.
pub(super) enum Plain {
    /// By vector instructions, where the machine has them and the needles are few. The automaton's own
    /// prefilter prefers to look for rare bytes, which are not rare in an image.
    Packed(packed::Searcher),
    /// In all other cases.
    Automaton(AhoCorasick),
}

impl Plain {
    /// None if they are too many or too long for any automaton.
    pub(super) fn new(needles: &[&[u8]]) -> Option<Self> {
        let packed = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostLongest)
            .builder()
            .extend(needles)
            .build();
        if let Some(packed) = packed {
            return Some(Self::Packed(packed));
        }
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Unanchored)
            .build(needles);
        automaton.ok().map(Self::Automaton)
    }

    /// Which needle stands where, the first one that begins at `from` or later.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<(usize, usize, usize)> {
        let found = match self {
            Self::Packed(packed) => packed.find_in(text, Span { start: from, end: text.len() }),
            Self::Automaton(automaton) => automaton.find(Input::new(text).range(from..)),
        }?;
        Some((found.pattern().as_usize(), found.start(), found.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_the_first_is_found_either_way() {
        let many: Vec<String> = (100_000..100_500).map(|n| format!("needle{n}")).collect();
        let mut needles: Vec<&[u8]> = many.iter().map(String::as_bytes).collect();
        needles.push(b"needle100007beyond");
        let few = needles[480..].to_vec();
        let text = b"a needle100490 and needle100007beyond";
        for (needles, at) in [(needles, 490), (few, 10)] {
            let plain = Plain::new(&needles).unwrap();
            assert_eq!(plain.find(text, 0), Some((at, 2, 14)));
            assert_eq!(plain.find(text, 3), Some((needles.len() - 1, 19, 37)));
            assert_eq!(plain.find(text, 20), None);
        }
    }
}
