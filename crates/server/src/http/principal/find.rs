//! Who acts, by what a request brings.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use smartbox_api::dpop;
use smartbox_api::problem::Code;
use smartbox_core::secret::Secret;

use super::proof::{shown, spent};
use super::{Browser, Peer, Principal};
use crate::access::{Bearer, Caller};
use crate::app::App;
use crate::http::cut::{Watch, Witness};
use crate::http::trouble::Trouble;
use crate::http::{cookie, vouched};

/// The header of the original's admin calls.
pub(in crate::http) const ADMIN_SECRET: &str = "x-admin-secret";

/// Whether a request brings something that somebody would have to know. A cookie that is over is an old
/// page's, and no attempt.
pub(in crate::http) fn tries(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(ADMIN_SECRET)
}

/// Finds out who acts; `None` if nobody who is known. A bearer that is wrong is not made good by a
/// cookie.
pub(in crate::http) async fn find(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    come(app, parts).await?.map(Principal::ready).transpose()
}

/// The same, also if they come by a browser that has to prove itself first, or that nobody has let in.
/// What such a one may reach is what asks so, and nothing else.
pub(in crate::http) async fn come(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    Ok(known(app, parts).await?.map(|who| who.from(parts)))
}

async fn known(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    let first = || app.account.id.clone();
    // Before anything is looked up: whoever is shut out meanwhile is noticed.
    let ended = app.access.ended();
    if let Some(Peer::Local { uid }) = parts.extensions.get::<Peer>() {
        return Ok(Some(Principal::of(Caller::operator(first(), format!("cli:uid={uid}")))));
    }
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return Ok(None);
        };
        let token = token.trim();
        let watch = || Watch::new(ended, Witness::token(token));
        if scheme.eq_ignore_ascii_case(dpop::SCHEME) {
            let (id, proof) = shown(app, parts, Some(token))?;
            let Some(caller) = app.access.bound(token, &id).await? else { return Ok(None) };
            // Now that it is a device's: what strangers send takes no place of one that is let in.
            app.access.proofs.of_device(&id, &proof, app.clock.now()).map_err(spent)?;
            return Ok(Some(Principal::of(caller).watched(watch())));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        return Ok(app.access.bearer(token).await?.map(|bearer| match bearer {
            Bearer::Master => Principal::of(Caller::operator(first(), "master-token".into())),
            Bearer::Token(caller) => Principal::of(caller).watched(watch()),
        }));
    }
    for value in cookie::values(&parts.headers, &app.site.cookie()) {
        if let Some(seat) = app.access.seat(value, None).await? {
            let cookie = Arc::new(Secret::new(value.to_owned()));
            let (who, stage) = (Principal::of(seat.caller()), seat.stage(app.clock.now()));
            let browser = Browser { seat: Arc::new(seat), cookie: cookie.clone(), stage };
            let who = Principal { by_cookie: true, browser: Some(browser), ..who };
            return Ok(Some(who.watched(Watch::new(ended, Witness::Cookie(cookie)))));
        }
    }
    if let Some(found) = vouched::find(app, parts).await? {
        let watch = Watch::new(ended, Witness::Word(Box::new(found.caller.clone())));
        let who = Principal { by_cookie: !found.service, ..Principal::of(found.caller) };
        return Ok(Some(who.watched(watch)));
    }
    Ok(None)
}

/// The bearer of the original's admin secret, which is the master token, or of an operator's key. A
/// cookie, another token or the local socket is not asked: the header says it, or nothing does.
pub(in crate::http) async fn admin(app: &App, parts: &Parts) -> Result<Principal, Trouble> {
    let ended = app.access.ended();
    let mut sent = parts.headers.get_all(ADMIN_SECRET).iter();
    let value = match (sent.next().map(HeaderValue::to_str), sent.next()) {
        (Some(Ok(value)), None) => value,
        _ => "",
    };
    let first = || app.account.id.clone();
    match app.access.bearer(value).await? {
        Some(Bearer::Master) => {
            let caller = Caller::operator(first(), "admin-secret".into());
            return Ok(Principal::of(caller).from(parts));
        }
        Some(Bearer::Token(caller)) if caller.operator.is_some() => {
            let watch = Watch::new(ended, Witness::token(value));
            return Ok(Principal::of(caller).watched(watch).from(parts));
        }
        _ => {}
    }
    let hint = "send MOLTBOT_GATEWAY_MASTER_TOKEN of `smartbox up`, or an operator's key, in the \
                header X-Admin-Secret";
    Err(Trouble::new(Code::Forbidden, "the admin secret is missing or wrong", hint))
}
