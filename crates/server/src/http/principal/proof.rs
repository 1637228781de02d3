//! Proofs of a key that come with a request.

use http::HeaderValue;
use http::header::HOST;
use http::request::Parts;
use smartbox_api::dpop;
use smartbox_api::problem::Code;
use smartbox_core::device::DeviceId;

use super::{Browser, address};
use crate::access::{Unproven, Wanted};
use crate::app::App;
use crate::http::trouble::Trouble;

/// The device whose key made the proof that came with this request, for exactly this request and for the
/// first time, and what the proof says besides. It may be anybody's.
pub(in crate::http) fn proven(
    app: &App,
    parts: &Parts,
) -> Result<(DeviceId, dpop::Proof), Trouble> {
    let (id, proof) = shown(app, parts, None)?;
    let from = address(parts).map(Into::into);
    app.access.proofs.of_stranger(from, &proof, app.clock.now()).map_err(spent)?;
    Ok((id, proof))
}

/// The same, though it may have been here before.
pub(super) fn shown(
    app: &App,
    parts: &Parts,
    token: Option<&str>,
) -> Result<(DeviceId, dpop::Proof), Trouble> {
    let mut sent = parts.headers.get_all(dpop::HEADER).iter();
    let text = match (sent.next().map(HeaderValue::to_str), sent.next()) {
        (Some(Ok(text)), None) => text,
        _ => return Err(unproven("there is not exactly one DPoP proof")),
    };
    let proof = fitting(app, parts, text, token).map_err(unproven)?;
    Ok((DeviceId::of(&proof.key), proof))
}

/// Looks whether a browser that has a key shows it with this very request, by a proof in the header.
pub(in crate::http) fn shows(app: &App, parts: &Parts, browser: &Browser) -> Result<(), Trouble> {
    if !browser.is_keyed() {
        return Ok(());
    }
    let why = "what gives somebody a way in needs a proof of this browser's key";
    let (by, proof) = shown(app, parts, None).map_err(|_| Trouble::unproven(why))?;
    browser.spends(app, parts, &by, &proof).map_err(|_| Trouble::unproven(why))?;
    let its = browser.seat.device.as_ref().map(|device| &device.id);
    if its == Some(&by) { Ok(()) } else { Err(Trouble::unproven(why)) }
}

/// What a proof says that was made for exactly this request; it may have been here before.
pub(in crate::http) fn fitting(
    app: &App,
    parts: &Parts,
    text: &str,
    token: Option<&str>,
) -> Result<dpop::Proof, Unproven> {
    let proof = dpop::read(text).map_err(|_| Unproven::Unsigned)?;
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    // The host is one of ours, or the request would not be here.
    let address = format!("{}://{host}{}", app.site.scheme(), parts.uri.path());
    let wanted = Wanted { method: parts.method.as_str(), address: &address, token };
    wanted.fits(&proof, app.clock.now())?;
    Ok(proof)
}

fn unproven(why: impl std::fmt::Display) -> Trouble {
    let hint = "a device's token needs a DPoP proof (RFC 9449) that was made for this request";
    Trouble::new(Code::Unauthenticated, why.to_string(), hint)
}

/// Why a proof that fits is not taken.
pub(super) fn spent(why: Unproven) -> Trouble {
    match why {
        Unproven::Flooded => {
            Trouble::new(Code::TooMany, why.to_string(), "ask less often").retry(60)
        }
        why => unproven(why),
    }
}
