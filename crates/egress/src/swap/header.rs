//! Placeholders in headers, and in the user and password of basic authentication.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderName;
use http::header::AUTHORIZATION;
use smartbox_core::egress::Place;

use super::plan::{At, Look, Put};
use super::refusal::{Refusal, Spot};

/// With padding or without: servers take both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn puts(look: &Look<'_>) -> Result<Vec<Put>, Refusal> {
    let mut puts = Vec::new();
    for name in look.head.headers.keys() {
        for (nth, value) in look.head.headers.get_all(name).iter().enumerate() {
            let value = value.as_bytes();
            let basic = basic(value).filter(|_| name == AUTHORIZATION);
            let seen = match &basic {
                Some((user, password)) => in_basic(look, nth, user, password, &mut puts)?,
                None => false,
            };
            // A value that only happens to be base64 of something is looked at as any other.
            if !seen {
                in_value(look, name, nth, value, &mut puts)?;
            }
        }
    }
    Ok(puts)
}

fn in_value(
    look: &Look<'_>,
    name: &HeaderName,
    nth: usize,
    value: &[u8],
    puts: &mut Vec<Put>,
) -> Result<(), Refusal> {
    for span in look.spans(value) {
        let (before, it, after) =
            (&value[..span.start], &value[span.start..span.end], &value[span.end..]);
        let plain = look.swap.known.find(it) == Some(span.of);
        let secret = look.bound(span.of, |place| match place {
            Place::Header { name: wanted, form } => {
                plain && wanted == name.as_str() && form.fits(before, after)
            }
            _ => false,
        });
        let Some(secret) = secret else {
            let spot = match name.as_str() {
                "host" => Spot::Host,
                name => Spot::Header(name.to_owned()),
            };
            return Err(look.misplaced(span.of, spot));
        };
        puts.push(Put { secret, at: At::Header(name.clone(), nth, span.start..span.end) });
    }
    Ok(())
}

/// The user and the password of `Basic …` (RFC 7617).
pub(super) fn basic(value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, encoded) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = LENIENT.decode(encoded.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((decoded[..colon].to_vec(), decoded[colon + 1..].to_vec()))
}

/// Whether it is one with a placeholder.
fn in_basic(
    look: &Look<'_>,
    nth: usize,
    user: &[u8],
    password: &[u8],
    puts: &mut Vec<Put>,
) -> Result<bool, Refusal> {
    // A placeholder with a colon would be cut at it, and no half of it is anybody's user.
    let whole = [user, b":", password].concat();
    let mut found = 0;
    for (text, is_user, place, spot) in [
        (user, true, Place::BasicUser, Spot::BasicUser),
        (password, false, Place::BasicPassword, Spot::BasicPassword),
    ] {
        let Some(of) = look.swap.known.find(text) else { continue };
        let secret = look.bound(of, |bound| *bound == place);
        let secret = secret.ok_or_else(|| look.misplaced(of, spot))?;
        puts.push(Put { secret, at: At::Basic { nth, user: is_user } });
        found += 1;
    }
    let spans = look.spans(&whole);
    match spans.get(found) {
        // More of them than are whole users and passwords.
        Some(span) => Err(look.misplaced(span.of, Spot::Basic)),
        None => Ok(found > 0),
    }
}
