//! Cuts a stream into pieces.

use proptest::prelude::*;

/// Lengths of pieces, taken in turn; mostly small ones.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![3 => 1..4_usize, 2 => 1..30_usize, 1 => 30..400_usize], 1..12)
}

/// The pieces.
pub(crate) fn pieces<'a>(mut text: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut cuts = cuts.iter().cycle();
    while !text.is_empty() {
        let cut = cuts.next().copied().unwrap_or(1).min(text.len());
        let (piece, rest) = text.split_at(cut);
        pieces.push(piece);
        text = rest;
    }
    pieces
}
