//! A placeholder in a body is seen before its last byte is sent.

use proptest::prelude::*;
use smartbox_egress::swap::{Refusal, Spot};

use crate::cut::{cuts, pieces};
use crate::reference;
use crate::swap::{placeholder, swap};
use crate::texts::text;

proptest! {
    #[test]
    fn a_body_passes_until_the_reference_finds_a_placeholder(
        (seed, body) in any::<u64>().prop_flat_map(|seed| {
            let ph = placeholder(seed, "telegram").to_string();
            (Just(seed), text(vec![ph]))
        }),
        cuts in cuts(),
    ) {
        let ph = placeholder(seed, "telegram");
        let mut watch = swap(&ph, Vec::new()).watch();
        let mut passed = 0;
        let mut refused = false;
        for piece in pieces(&body, &cuts) {
            if watch.pass(piece, "evil.example").is_err() {
                refused = true;
                break;
            }
            passed += piece.len();
        }
        let places = reference::places(&body, &[ph.as_str()]);
        prop_assert_eq!(refused, !places.is_empty(), "{}", String::from_utf8_lossy(&body));
        // None of them has left whole.
        prop_assert!(places.iter().all(|(_, end)| *end > passed));
    }
}

#[test]
fn the_refusal_says_that_it_was_the_body() {
    let ph = placeholder(3, "plain");
    let mut watch = swap(&ph, Vec::new()).watch();
    let (first, last) = ph.as_str().split_at(9);
    assert_eq!(watch.pass(format!(r#"{{"key":"{first}"#).as_bytes(), "a.example"), Ok(()));
    let refused = watch.pass(format!(r#"{last}"}}"#).as_bytes(), "a.example");
    let Err(Refusal::Misplaced { spot, host, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((spot, host.as_str()), (Spot::Body, "a.example"));
}
