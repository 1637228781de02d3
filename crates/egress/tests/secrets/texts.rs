//! Values, and hostile texts around them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

/// A value: like a key, like a sentence, or of few characters so that it overlaps itself and reads like
/// escapes.
pub(crate) fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_/+=:.-]{8,40}",
        2 => "[ab]{8,10}",
        2 => r#"[%25u\\/n"41 ]{8,12}"#,
        1 => "[aäß€😀 /]{8,12}",
        1 => "[ -~]{8,24}",
    ]
}

/// How one byte or character is spelled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spell {
    Plain,
    Percent,
    PercentUpper,
    Unicode,
    UnicodeUpper,
    Short,
}

pub(crate) fn spell() -> impl Strategy<Value = Spell> {
    prop_oneof![
        6 => Just(Spell::Plain),
        2 => Just(Spell::Percent),
        2 => Just(Spell::PercentUpper),
        2 => Just(Spell::Unicode),
        1 => Just(Spell::UnicodeUpper),
        2 => Just(Spell::Short),
    ]
}

/// The text spelled in a mix.
pub(crate) fn spelled(text: &str, spells: &[Spell]) -> Vec<u8> {
    let mut out = String::new();
    for (c, spell) in text.chars().zip(spells.iter().cycle()) {
        let bytes = c.to_string().into_bytes();
        let units = c.to_string().encode_utf16().collect::<Vec<u16>>();
        match (spell, c) {
            (Spell::Percent, _) => out.extend(bytes.iter().map(|b| format!("%{b:02x}"))),
            (Spell::PercentUpper, _) => out.extend(bytes.iter().map(|b| format!("%{b:02X}"))),
            (Spell::Unicode, _) => out.extend(units.iter().map(|u| format!("\\u{u:04x}"))),
            (Spell::UnicodeUpper, _) => out.extend(units.iter().map(|u| format!("\\u{u:04X}"))),
            (Spell::Short, '/') => out.push_str("\\/"),
            (Spell::Short, '"') => out.push_str("\\\""),
            (Spell::Short, '\\') => out.push_str("\\\\"),
            (Spell::Short, ' ') => out.push('+'),
            (Spell::Plain | Spell::Short, c) => out.push(c),
        }
    }
    out.into_bytes()
}

/// A form of a text that has to be found.
pub(crate) fn form(text: String) -> impl Strategy<Value = Vec<u8>> {
    let spells = prop::collection::vec(spell(), 1..8);
    let around = ("[ -~]{0,4}", "[ -~]{0,4}");
    (spells, around, 0..5_u8).prop_map(move |(spells, (before, after), which)| match which {
        0 => text.clone().into_bytes(),
        1 | 2 => spelled(&text, &spells),
        3 => STANDARD.encode(format!("{before}{text}{after}")).into_bytes(),
        _ => spelled(&URL_SAFE_NO_PAD.encode(format!("{before}{text}{after}")), &spells),
    })
}

/// A text with the values in it in whatever forms, parts of them, and what looks like them.
pub(crate) fn text(values: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let one = prop::sample::select(values.clone()).prop_flat_map(form);
    let other = prop::sample::select(values).prop_flat_map(form);
    let part = (other, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(form, at, end)| {
        let at = at.index(form.len() + 1);
        if end { form[at..].to_vec() } else { form[..at].to_vec() }
    });
    let noise = prop_oneof![
        r#"[ab%\\u0-9/+" ]{0,6}"#.prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        Just(b"%".to_vec()),
        Just(b"\\".to_vec()),
        Just(b"\\u00".to_vec()),
    ];
    prop::collection::vec(prop_oneof![2 => one, 3 => part, 3 => noise], 0..8)
        .prop_map(|parts| parts.concat())
}

/// One to three values, and a text around them.
pub(crate) fn values_and_text() -> impl Strategy<Value = (Vec<String>, Vec<u8>)> {
    prop::collection::vec(value(), 1..4)
        .prop_flat_map(|values| (Just(values.clone()), text(values)))
}
