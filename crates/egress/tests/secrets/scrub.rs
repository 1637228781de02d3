//! No value comes back, however it is spelled and wherever the stream is cut.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use smartbox_core::secret::Secret;
use smartbox_egress::scrub::Scrub;

use crate::cut::{cuts, pieces};
use crate::reference;
use crate::texts::{form, value, values_and_text};

pub(crate) fn scrub(values: &[String]) -> Scrub {
    let secrets: Vec<Secret<String>> = values.iter().cloned().map(Secret::new).collect();
    Scrub::new(&secrets).unwrap()
}

/// What comes out, and whether nothing was held that could not have gone on.
fn streamed(scrub: &Scrub, text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut window = scrub.window();
    let mut out = Vec::new();
    for piece in pieces(text, cuts) {
        out.extend_from_slice(&window.pass(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&window.rest());
    out
}

/// The mask that was chosen for these values.
fn mask(scrub: &Scrub, value: &str) -> u8 {
    scrub.mask(value.as_bytes()).unwrap()[0]
}

fn texts(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

proptest! {
    #[test]
    fn a_stream_is_masked_as_the_reference_masks_it((values, text) in values_and_text(), cuts in cuts()) {
        let scrub = scrub(&values);
        let out = streamed(&scrub, &text, &cuts);
        let expected = reference::masked(&text, &texts(&values), mask(&scrub, &values[0]));
        prop_assert_eq!(out, expected, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn nothing_that_passes_has_a_value_in_any_form((values, text) in values_and_text(), cuts in cuts()) {
        let scrub = scrub(&values);
        let out = streamed(&scrub, &text, &cuts);
        let left = reference::places(&out, &texts(&values));
        prop_assert!(left.is_empty(), "{:?} in {}", left, String::from_utf8_lossy(&out));
    }

    #[test]
    fn each_form_is_found(
        (value, form) in value().prop_flat_map(|value| (Just(value.clone()), form(value))),
        cuts in cuts(),
    ) {
        let scrub = scrub(std::slice::from_ref(&value));
        let out = streamed(&scrub, &form, &cuts);
        prop_assert_ne!(&out, &form);
        prop_assert_eq!(out.len(), form.len());
    }

    #[test]
    fn a_header_never_has_a_value((values, mut text) in values_and_text()) {
        for byte in text.iter_mut().filter(|byte| byte.is_ascii_control()) {
            *byte = b'~';
        }
        let value = HeaderValue::from_bytes(&text).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_static("x-echo"), value);
        scrub(&values).headers(&mut headers);
        for value in headers.values() {
            prop_assert!(reference::places(value.as_bytes(), &texts(&values)).is_empty());
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_not_held(text in "[xyz]{1,60}", cuts in cuts()) {
        let mut window = scrub(&["abcdefgh1234".to_owned()]).window();
        for piece in pieces(text.as_bytes(), &cuts) {
            // Two letters of base64 may be met by chance; nothing like `xyz` is in these.
            prop_assert_eq!(&window.pass(Bytes::copy_from_slice(piece))[..], piece);
        }
    }
}

#[test]
fn a_beginning_is_held_until_it_is_none() {
    let mut window = scrub(&["abcdefgh1234".to_owned()]).window();
    assert_eq!(&window.pass(Bytes::from_static(b"see abcd"))[..], b"see ");
    assert_eq!(&window.pass(Bytes::from_static(b"%65"))[..], b"");
    assert_eq!(&window.pass(Bytes::from_static(b"!"))[..], b"abcd%65!");
    assert_eq!(window.hits(), 0);
    assert_eq!(&window.pass(Bytes::from_static(b"abcdefgh12"))[..], b"");
    assert_eq!(&window.pass(Bytes::from_static(b"34 abcd"))[..], b"************ ");
    assert_eq!(&window.rest()[..], b"abcd");
    assert_eq!(window.hits(), 1);
}

#[test]
fn values_that_overlap_are_both_covered() {
    let scrub = scrub(&["abcdefgh1234".to_owned(), "h1234xyz".to_owned()]);
    let mut window = scrub.window();
    let mut out = Vec::new();
    for byte in b"abcdefgh1234xyz!" {
        out.extend_from_slice(&window.pass(Bytes::copy_from_slice(&[*byte])));
    }
    assert_eq!(out, b"***************!");
}

#[test]
fn the_mask_is_no_part_of_a_value() {
    let scrub = scrub(&["********".to_owned()]);
    assert_eq!(scrub.mask(b"a**********b").unwrap(), b"a##########b");
}

#[test]
fn a_value_is_masked_once_it_is_whole_though_another_might_go_on() {
    let scrub = scrub(&["aaaaaaaa".to_owned(), "aaaaaaaabbbbbbbb".to_owned()]);
    let mut window = scrub.window();
    assert_eq!(&window.pass(Bytes::from_static(b"aaaaaaaabbb"))[..], b"");
    assert_eq!(&window.pass(Bytes::from_static(b"c"))[..], b"********bbbc");
}
