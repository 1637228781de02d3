//! The hunt for a few texts, in all their forms at once.

use std::fmt;

use super::base64::cores;
use super::escape::{Escape, read};
use super::plain::Plain;
use super::walk::walk;

/// Shorter texts are not hunted: they would be met by chance.
pub const SHORTEST: usize = 8;

/// Where a text was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first byte.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
    /// Which of the texts.
    pub of: usize,
    /// Whether it is the text, plain or escaped, and not its base64.
    pub itself: bool,
}

struct Needle {
    bytes: Vec<u8>,
    of: usize,
    itself: bool,
}

/// A place in a needle.
struct Place {
    needle: usize,
    at: usize,
    /// The byte before it, which rules out nearly all places without a look at the needle.
    before: Option<u8>,
}

/// Some texts, ready to be hunted. It holds them in memory for as long as it lives.
pub struct Hunt {
    needles: Vec<Needle>,
    /// Finds the needles as they are.
    plain: Plain,
    /// Where in which needle a byte stands, by the byte.
    places: Vec<Vec<Place>>,
    /// Needles by their first byte.
    firsts: Vec<Vec<usize>>,
    /// Whether a needle has a space, which a plus may stand for.
    spaces: bool,
    /// No form of any needle is longer.
    longest: usize,
}

impl Hunt {
    /// A hunt for these texts; those shorter than [`SHORTEST`] are left out. None if none is left.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut needles: Vec<Needle> = Vec::new();
        for (of, text) in texts.into_iter().enumerate().filter(|(_, text)| text.len() >= SHORTEST) {
            needles.push(Needle { bytes: text.to_vec(), of, itself: true });
            let encoded = cores(text).into_iter();
            needles.extend(encoded.map(|bytes| Needle { bytes, of, itself: false }));
        }
        if needles.is_empty() {
            return None;
        }
        let bytes: Vec<&[u8]> = needles.iter().map(|needle| needle.bytes.as_slice()).collect();
        let plain = Plain::new(&bytes)?;
        let (mut places, mut firsts) = (Vec::new(), vec![Vec::new(); 256]);
        places.resize_with(256, Vec::new);
        for (number, needle) in bytes.iter().enumerate() {
            firsts[usize::from(needle[0])].push(number);
            for (at, byte) in needle.iter().enumerate() {
                let before = at.checked_sub(1).map(|before| needle[before]);
                places[usize::from(*byte)].push(Place { needle: number, at, before });
            }
        }
        let spaces = !places[usize::from(b' ')].is_empty();
        // `\u0041` is the longest escape of a byte.
        let longest = needles.iter().map(|needle| needle.bytes.len() * 6).max().unwrap_or_default();
        Some(Self { needles, plain, places, firsts, spaces, longest })
    }

    /// Every place where one of the texts stands whole, by where it begins. Those that begin in the
    /// same place or lie within one another may be told as the longest of them.
    pub fn spans(&self, text: &[u8]) -> Vec<Span> {
        let mut spans = Vec::new();
        self.plain_spans(text, &mut spans);
        self.escaped_spans(text, &mut spans);
        spans.sort_unstable();
        spans
    }

    fn plain_spans(&self, text: &[u8], spans: &mut Vec<Span>) {
        let mut from = 0;
        while let Some((number, start, end)) = self.plain.find(text, from) {
            let needle = &self.needles[number];
            spans.push(Span { start, end, of: needle.of, itself: needle.itself });
            // Another one may begin within this one.
            from = start + 1;
        }
    }

    /// A needle that is not plain has a first escape: each escape of the text is tried as that.
    fn escaped_spans(&self, text: &[u8], spans: &mut Vec<Span>) {
        if self.spaces {
            for at in memchr::memchr3_iter(b'%', b'\\', b'+', text) {
                self.escaped_at(text, at, spans);
            }
        } else {
            for at in memchr::memchr2_iter(b'%', b'\\', text) {
                self.escaped_at(text, at, spans);
            }
        }
    }

    fn escaped_at(&self, text: &[u8], at: usize, spans: &mut Vec<Span>) {
        let Escape::Is(decoded, long) = read(&text[at..]) else { return };
        let bytes = decoded.as_slice();
        let before = at.checked_sub(1).map(|before| text[before]);
        for place in &self.places[usize::from(bytes[0])] {
            if place.before.is_some() && place.before != before {
                continue;
            }
            let needle = &self.needles[place.needle];
            let fits = needle.bytes[place.at..].starts_with(bytes)
                && text[..at].ends_with(&needle.bytes[..place.at]);
            if !fits {
                continue;
            }
            let found = walk(&needle.bytes, text, at + long, place.at + bytes.len());
            if let Some(end) = found.end {
                let start = at - place.at;
                spans.push(Span { start, end, of: needle.of, itself: needle.itself });
            }
        }
    }

    /// From where on the text may be the beginning of something that goes on after its end.
    pub fn open_from(&self, text: &[u8]) -> usize {
        let begin = text.len().saturating_sub(self.longest);
        let open = |at: usize| {
            let byte = text[at];
            let plain = self.firsts[usize::from(byte)].iter().copied();
            if matches!(byte, b'%' | b'\\') || (byte == b'+' && self.spaces) {
                (0..self.needles.len()).any(|number| self.open_at(number, text, at))
            } else {
                plain.into_iter().any(|number| self.open_at(number, text, at))
            }
        };
        (begin..text.len()).find(|at| open(*at)).unwrap_or(text.len())
    }

    fn open_at(&self, number: usize, text: &[u8], at: usize) -> bool {
        walk(&self.needles[number].bytes, text, at, 0).open
    }

    /// Whether this byte is part of no text in any form.
    pub fn is_foreign(&self, byte: u8) -> bool {
        self.places[usize::from(byte)].is_empty() && !byte.is_ascii_alphanumeric()
    }
}

impl fmt::Debug for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hunt").field("needles", &self.needles.len()).finish_non_exhaustive()
    }
}
