//! Puts the values in.

use std::collections::HashMap;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use smartbox_core::secret::Secret;
use zeroize::Zeroizing;

use super::header::basic;
use super::plan::{At, Plan, Put};
use super::refusal::{Refusal, Spot};
use super::value::{escaped, flaw, flaw_in_header, flaw_in_user};

/// The values by the names of the secrets.
type Values = HashMap<String, Secret<String>>;

impl Plan {
    /// Puts the values into the head that was planned. Unless all of them can stand where they should,
    /// the head stays as it was.
    pub fn fill(&self, head: &mut Parts, values: &Values) -> Result<(), Refusal> {
        let value = |put: &Put| {
            let found = values.get(&put.secret);
            found.ok_or_else(|| Refusal::NoValue { secret: put.secret.clone() })
        };
        let mut target: Vec<(Range<usize>, String)> = Vec::new();
        let mut headers = head.headers.clone();
        // From the last to the first, so that what is not put in yet stays where it was seen.
        for put in self.puts.iter().rev() {
            let value = value(put)?.expose().as_str();
            let spot = spot(&put.at);
            let bad =
                |why| Refusal::BadValue { secret: put.secret.clone(), spot: spot.clone(), why };
            if let Some(why) = flaw(value) {
                return Err(bad(why));
            }
            let put_in = match &put.at {
                At::Target(at, _) => {
                    target.push((at.clone(), escaped(value)));
                    Ok(())
                }
                At::Header(name, nth, at) => match flaw_in_header(value) {
                    Some(why) => Err(why),
                    None => in_header(&mut headers, name, *nth, |old| {
                        Some([&old[..at.start], value.as_bytes(), &old[at.end..]].concat())
                    }),
                },
                At::Basic { user: true, .. } if flaw_in_user(value).is_some() => {
                    Err(flaw_in_user(value).unwrap_or_default())
                }
                At::Basic { nth, user } => in_header(&mut headers, &AUTHORIZATION, *nth, |old| {
                    let (old_user, old_password) = basic(old)?;
                    let pair = Zeroizing::new(match user {
                        true => [value.as_bytes(), b":", &old_password].concat(),
                        false => [&old_user, b":".as_slice(), value.as_bytes()].concat(),
                    });
                    Some(format!("Basic {}", STANDARD.encode(&*pair)).into_bytes())
                }),
            };
            put_in.map_err(bad)?;
        }
        if let Some(put) = self.puts.first().filter(|_| !target.is_empty()) {
            head.uri = with_target(&head.uri, &target).ok_or_else(|| Refusal::BadValue {
                secret: put.secret.clone(),
                spot: spot(&put.at),
                why: "the address would be none with it",
            })?;
        }
        head.headers = headers;
        Ok(())
    }
}

fn spot(at: &At) -> Spot {
    match at {
        At::Target(_, spot) => spot.clone(),
        At::Header(name, ..) => Spot::Header(name.to_string()),
        At::Basic { user: true, .. } => Spot::BasicUser,
        At::Basic { user: false, .. } => Spot::BasicPassword,
    }
}

/// Replaces the nth value of a header.
fn in_header(
    headers: &mut HeaderMap,
    name: &HeaderName,
    nth: usize,
    replaced: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> Result<(), &'static str> {
    const OTHER: &str = "the head is not the one that was planned";
    let http::header::Entry::Occupied(mut entry) = headers.entry(name) else { return Err(OTHER) };
    let value = entry.iter_mut().nth(nth).ok_or(OTHER)?;
    let new = Zeroizing::new(replaced(value.as_bytes()).ok_or(OTHER)?);
    let mut new = HeaderValue::from_bytes(&new).map_err(|_| "no header can have it")?;
    // It is not printed, and enters no table of HTTP/2's compression.
    new.set_sensitive(true);
    *value = new;
    Ok(())
}

/// The address with some of its bytes replaced, the last of them first.
fn with_target(uri: &Uri, puts: &[(Range<usize>, String)]) -> Option<Uri> {
    let mut target = Zeroizing::new(uri.path_and_query()?.as_str().to_owned());
    for (at, value) in puts {
        target.get(at.clone())?;
        target.replace_range(at.clone(), value);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target.as_str()).ok()?);
    Uri::from_parts(parts).ok()
}
