//! Somebody for whom Cloudflare Access vouches with the request itself: by the header that it adds, or the
//! cookie that it keeps in the browser.
//!
//! Where each browser has to be let in it vouches for programs alone: it says who somebody is, and not which
//! browser theirs is, so that none could be told from another, or be shut out.

use http::HeaderMap;
use http::request::Parts;
use smartbox_core::person::Identity;
use smartbox_sign_in::Refused;

use super::cookie;
use super::principal::address;
use super::trouble::Trouble;
use crate::access::{Arrival, Caller};
use crate::app::App;
use crate::config::devices::Browsers;

const HEADER: &str = "cf-access-jwt-assertion";
const COOKIE: &str = "CF_Authorization";

/// Who comes so.
pub(super) struct Vouched {
    pub(super) caller: Caller,
    /// A program, that no page can make ask.
    pub(super) service: bool,
}

/// Who comes so; `None` if nobody, or by a token that signs nobody in: [`wrong`] says why.
pub(super) async fn find(app: &App, parts: &Parts) -> Result<Option<Vouched>, Trouble> {
    let Some(Ok(identity)) = ask(app, &parts.headers).await else { return Ok(None) };
    if !is_enough(app, &identity) {
        return Ok(None);
    }
    let caller = arrive(app, &identity, parts).await?;
    app.access.come_by(&caller, &identity, address(parts)).await?;
    // What they open ends with the word that was given for them.
    let caller = Caller { until: Some(identity.expires), ..caller };
    Ok(Some(Vouched { caller, service: identity.service }))
}

/// Why a token that came along signs nobody in.
pub(super) async fn wrong(app: &App, headers: &HeaderMap) -> Option<String> {
    match ask(app, headers).await? {
        Err(refused) => Some(format!("Cloudflare Access: {refused}.")),
        Ok(identity) if !is_enough(app, &identity) => Some(format!(
            "Cloudflare Access says that you are {}. Here each browser has to be let in besides, which needs \
             a sign-in of this platform: by a token, an invitation or a provider.",
            shown(&identity)
        )),
        Ok(_) => None,
    }
}

/// Whether somebody may come in by such a word alone.
fn is_enough(app: &App, identity: &Identity) -> bool {
    identity.service || app.devices.browsers == Browsers::SignIn
}

/// Whom the records know, and what they may; a refusal that says who they are otherwise.
pub(super) async fn arrive(
    app: &App,
    identity: &Identity,
    parts: &Parts,
) -> Result<Caller, Trouble> {
    let arrival = app.access.arrive(identity, &app.sign_in.rules, &app.account.id).await?;
    if !matches!(arrival, Arrival::In(_)) {
        app.denials.sign_in(app, address(parts)).await?;
    }
    match arrival {
        Arrival::In(caller) => Ok(*caller),
        Arrival::Stranger => {
            let (who, by) = (shown(identity), &identity.issuer);
            Err(Trouble::stranger(format!(
                "you are {who}, as {by} says, and nobody gave you access"
            )))
        }
        Arrival::ShutOut => {
            let who = shown(identity);
            Err(Trouble::stranger(format!("you are {who}, and may not come in any more")))
        }
    }
}

/// What a request brings that may be such a token.
pub(super) fn words<'h>(app: &App, headers: &'h HeaderMap) -> Vec<&'h str> {
    if app.sign_in.access.is_none() {
        return Vec::new();
    }
    let header = headers.get_all(HEADER).iter().filter_map(|value| value.to_str().ok());
    header.chain(cookie::long(headers, COOKIE)).collect()
}

async fn ask(app: &App, headers: &HeaderMap) -> Option<Result<Identity, Refused>> {
    let access = app.sign_in.access.as_ref()?;
    let mut sent = headers.get_all(HEADER).iter();
    let refused = match (sent.next(), sent.next()) {
        (Some(_), Some(_)) => Refused::Malformed("there are two of them"),
        (Some(value), None) => match access.verify(value.to_str().unwrap_or_default()).await {
            Ok(identity) => {
                app.access.proves(value.to_str().unwrap_or_default());
                return Some(Ok(identity));
            }
            Err(refused) => refused,
        },
        (None, _) => {
            let mut last = None;
            // A sibling host may have added some of the same name.
            for value in cookie::long(headers, COOKIE) {
                match access.verify(value).await {
                    Ok(identity) => {
                        app.access.proves(value);
                        return Some(Ok(identity));
                    }
                    Err(refused) => last = Some(refused),
                }
            }
            last?
        }
    };
    // Whoever is told reads why; in the log a stranger could write as often as they knock.
    tracing::debug!(refusal = %refused, "a token of Cloudflare Access signs nobody in");
    Some(Err(refused))
}

/// What somebody is told that they are.
fn shown(identity: &Identity) -> String {
    let name = identity.email.as_ref().or(identity.name.as_ref()).unwrap_or(&identity.subject);
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}
