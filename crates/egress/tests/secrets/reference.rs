//! The simple reference: the whole text at once, every place, every form written out. Slow, and shares
//! nothing with what it checks.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The places where a value stands in whatever form, and whether it is base64.
pub(crate) fn places(text: &[u8], values: &[&str]) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for value in values {
        for needle in needles(value) {
            let spellings: Vec<_> = (0..needle.len()).map(|at| spellings(&needle[at..])).collect();
            for start in 0..text.len() {
                if let Some(end) = last_end(text, start, &spellings) {
                    places.push((start, end));
                }
            }
        }
    }
    places
}

/// The text with every place covered.
pub(crate) fn masked(text: &[u8], values: &[&str], mask: u8) -> Vec<u8> {
    let mut out = text.to_vec();
    for (start, end) in places(text, values) {
        out[start..end].fill(mask);
    }
    out
}

/// The value, and what all base64 of it has in common, whatever bits come before and after.
fn needles(value: &str) -> Vec<Vec<u8>> {
    let mut needles = vec![value.as_bytes().to_vec()];
    for before in 0..3 {
        let around = |filling: u8, url: bool| {
            let mut bytes = vec![filling; before];
            bytes.extend_from_slice(value.as_bytes());
            // To whole groups, so that nothing is padded.
            let after = (3 - bytes.len() % 3) % 3;
            bytes.extend(std::iter::repeat_n(filling, after));
            if url { URL_SAFE.encode(bytes) } else { STANDARD.encode(bytes) }.into_bytes()
        };
        for url in [false, true] {
            let (zeros, ones) = (around(0, url), around(0xff, url));
            let same: Vec<usize> = (0..zeros.len()).filter(|at| zeros[*at] == ones[*at]).collect();
            let (first, last) = (same[0], same[same.len() - 1]);
            assert_eq!(same.len(), last - first + 1, "what is common lies together");
            needles.push(zeros[first..=last].to_vec());
        }
    }
    needles
}

/// Where the needle ends that begins at `start`: each of its characters plain or escaped. The last end,
/// if it can be read in several ways.
fn last_end(text: &[u8], start: usize, spellings: &[Vec<(usize, Vec<u8>)>]) -> Option<usize> {
    let begins = spellings[0].iter().any(|(_, spelling)| spells(&text[start..], spelling));
    if !begins {
        return None;
    }
    // All places that can be reached with so many bytes of the needle behind.
    let mut reached = vec![std::collections::BTreeSet::new(); spellings.len() + 1];
    reached[0].insert(start);
    for from in 0..spellings.len() {
        for at in reached[from].clone() {
            for (taken, spelling) in &spellings[from] {
                if spells(&text[at..], spelling) {
                    reached[from + taken].insert(at + spelling.len());
                }
            }
        }
    }
    reached[spellings.len()].last().copied()
}

/// How the next byte or character may be spelled, and how many bytes of the needle that is.
fn spellings(needle: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let byte = needle[0];
    let mut all = vec![(1, vec![byte]), (1, format!("%{byte:02x}").into_bytes())];
    let short = match byte {
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        0x08 => "\\b",
        0x0c => "\\f",
        b'"' => "\\\"",
        b'\'' => "\\'",
        b'\\' => "\\\\",
        b'/' => "\\/",
        b' ' => "+",
        _ => "",
    };
    if !short.is_empty() {
        all.push((1, short.as_bytes().to_vec()));
    }
    // The character, if one begins here.
    let lengths = 1..=needle.len().min(4);
    let mut characters =
        lengths.filter_map(|len| Some((len, std::str::from_utf8(&needle[..len]).ok()?)));
    if let Some((len, character)) = characters.next() {
        let units = character.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        all.push((len, units.collect::<String>().into_bytes()));
    }
    all
}

/// Whether the text begins so. The digits of an escape are read in either case.
fn spells(text: &[u8], spelling: &[u8]) -> bool {
    let Some(text) = text.get(..spelling.len()) else { return false };
    if spelling.len() < 3 {
        return text == spelling;
    }
    text.iter().zip(spelling).all(|(a, b)| match b {
        b'u' | b'\\' | b'%' => a == b,
        _ => a.eq_ignore_ascii_case(b),
    })
}
