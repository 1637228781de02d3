//! Limits: on strangers by where they come from, before it is asked who they are; on those who are
//! known by who they are, afterwards. So nobody's flood is another one's, though they share an address.

use std::time::Duration;

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Extensions, Method};
use smartbox_api::problem::Code;
use smartbox_core::limit::{Class, Client, Key};
use smartbox_core::token::plausible;

use super::principal::{ADMIN_SECRET, Peer, Principal};
use super::{cookie, origin, trouble::Trouble, vouched};
use crate::app::App;

/// The client at the other end; none for the command line on this machine, which is not limited.
pub(super) fn client(extensions: &Extensions) -> Option<Client> {
    match extensions.get::<Peer>() {
        Some(Peer::Tcp(address)) => Some(address.ip().into()),
        Some(Peer::Local { .. }) | None => None,
    }
}

/// Before it is asked who it is. A session or token that was right lately is no stranger's. What is
/// wrong too often is not even compared any more, except for a token of ours: there are 2^160 of
/// those, so that guessing one is hopeless, and whose own it is must not wait for those who guess.
///
/// Whoever begins a sign-in is a stranger, whatever they are signed in as besides: each costs a look-up,
/// or a call at a provider. On another `public` route nobody asks who it is, so that who is recalled pays
/// here, by what they are recalled by.
pub(super) async fn enter(app: &App, parts: &Parts, public: bool) -> Result<(), Trouble> {
    let Some(client) = client(&parts.extensions) else { return Ok(()) };
    let secrets = secrets(parts);
    if !begins(parts) {
        let shown = if secrets.is_empty() { words(app, parts) } else { secrets.clone() };
        let recalls = |value: &&str| app.access.recalls(value);
        let known = match secrets.is_empty() {
            true => shown.into_iter().find(recalls),
            false if shown.iter().all(recalls) => shown.first().copied(),
            false => None,
        };
        match known {
            Some(value) if public => {
                let key = Key::Principal(app.account.id.clone(), app.access.nickname(value));
                let class = class(&parts.method, parts.uri.path(), false);
                return app.meter.take(class, key).await.map_err(too_many);
            }
            Some(_) => return Ok(()),
            None => {}
        }
    }
    if secrets.iter().any(|secret| !plausible(secret)) {
        may_guess(app, Some(client)).await?;
        if secrets.iter().any(|secret| app.access.is_master(secret)) {
            return Ok(());
        }
    }
    app.meter.take(Class::Knock, Key::Client(client)).await.map_err(too_many)
}

/// A sign-in begins, or goes on: a token in the address, or the way to a provider and back.
fn begins(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let token = |query: &str| query.split('&').any(|pair| pair.starts_with("token="));
    path == "/login" || path.starts_with("/login/") || parts.uri.query().is_some_and(token)
}

/// What a browser brings by itself that says who it is: our cookie, and the word of Cloudflare Access.
fn words<'p>(app: &App, parts: &'p Parts) -> Vec<&'p str> {
    let mut all = cookie::values(&parts.headers, &app.site.cookie());
    all.extend(vouched::words(app, &parts.headers));
    all
}

/// It is nobody who is known; a secret that came with it was wrong. What was right once is no stranger's
/// no more: it would be looked up for ever, at no cost.
pub(super) async fn unknown(app: &App, parts: &Parts) {
    for value in words(app, parts).into_iter().chain(secrets(parts)) {
        app.access.recall_no_more(value);
    }
    for secret in secrets(parts) {
        wrong(app, client(&parts.extensions), secret).await;
    }
}

/// A secret was wrong. Patience is for what might be guessed: one that looks like ours is an old one, and
/// whoever sends it again and again, a script or a page, keeps nobody out who shares its address.
pub(super) async fn wrong(app: &App, client: Option<Client>, secret: &str) {
    if let Some(client) = client.filter(|_| !plausible(secret)) {
        app.meter.strike(Key::Client(client)).await;
    }
}

/// Whether this client's guesses are still compared with anything.
pub(super) async fn may_guess(app: &App, client: Option<Client>) -> Result<(), Trouble> {
    match client {
        Some(client) => patient(app, Key::Client(client)).await,
        None => Ok(()),
    }
}

/// Whether somebody who is known may still guess the code that a device shows.
pub(super) async fn may_type(app: &App, who: &Principal) -> Result<(), Trouble> {
    patient(app, key(who)).await
}

/// They typed a wrong one.
pub(super) async fn mistyped(app: &App, who: &Principal) {
    app.meter.strike(key(who)).await;
}

async fn patient(app: &App, key: Key) -> Result<(), Trouble> {
    app.meter.barred(key).await.map_or(Ok(()), |wait| Err(too_many(wait)))
}

/// Whoever is known asks for something.
pub(super) async fn pass(
    app: &App,
    who: &Principal,
    parts: &Parts,
    socket: bool,
) -> Result<(), Trouble> {
    if client(&parts.extensions).is_none() {
        return Ok(());
    }
    let class = class(&parts.method, parts.uri.path(), socket);
    app.meter.take(class, key(who)).await.map_err(too_many)
}

/// By whom it is counted what somebody does.
fn key(who: &Principal) -> Key {
    Key::Principal(who.home().clone(), who.name().to_owned())
}

fn class(method: &Method, path: &str, socket: bool) -> Class {
    let runs = |part: &str| matches!(part, "exec" | "execs" | "messages" | "message");
    let run = path.split('/').any(runs);
    match (socket, origin::harmless(method), run) {
        (true, _, _) | (false, false, true) => Class::Run,
        (false, true, _) => Class::Read,
        (false, false, false) => Class::Change,
    }
}

/// A stranger asks to be let in.
pub(super) async fn pair(app: &App, parts: &Parts) -> Result<(), Trouble> {
    let Some(client) = client(&parts.extensions) else { return Ok(()) };
    app.meter.take(Class::Pair, Key::Client(client)).await.map_err(too_many)
}

/// What is said to prove who asks, besides a cookie: all of it, so that no good one hides a guess.
fn secrets(parts: &Parts) -> Vec<&str> {
    let all = |name: &str| {
        let values = parts.headers.get_all(name).into_iter();
        values.map(|value| value.to_str().unwrap_or_default()).collect::<Vec<_>>()
    };
    let bearers = all(AUTHORIZATION.as_str());
    let bare =
        bearers.into_iter().map(|text| text.split_once(' ').map_or(text, |(_, it)| it.trim()));
    bare.chain(all(ADMIN_SECRET)).collect()
}

pub(super) fn too_many(wait: Duration) -> Trouble {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = "this is more than the platform takes in so short a time";
    Trouble::new(Code::TooMany, detail, "wait as long as `Retry-After` says, and ask less often")
        .retry(u16::try_from(seconds).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_box_work_is_told_from_what_changes_a_row() {
        for (method, path, class_) in [
            (Method::GET, "/api/v1/boxes", Class::Read),
            (Method::GET, "/api/v1/boxes/pa/messages", Class::Read),
            (Method::POST, "/api/v1/boxes/pa/messages", Class::Run),
            (Method::POST, "/api/v1/boxes/pa/exec", Class::Run),
            (Method::POST, "/api/super/users/x/exec", Class::Run),
            (Method::DELETE, "/api/v1/boxes/exec-me", Class::Change),
            (Method::POST, "/logout", Class::Change),
        ] {
            assert_eq!(class(&method, path, false), class_, "{method} {path}");
        }
        assert_eq!(class(&Method::GET, "/api/v1/boxes/pa/exec/live", true), Class::Run);
    }
}
