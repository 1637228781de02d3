//! Tokens of the API and keys of operators: who makes which, and whose they are to see and to end.

mod create;
mod key;
mod list;
mod revoke;
mod rotate;

use std::time::Duration;

use smartbox_api::problem::Code;
use smartbox_core::person::Right;
use smartbox_core::token::{Purpose, Token};

use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

/// How long one works if nobody says.
const LASTS: Duration = Duration::from_hours(90 * 24);
/// How long one works at the most.
const MOST: Duration = Duration::from_hours(366 * 24);
/// How long an old value works at the most after it was replaced.
const GRACE: Duration = Duration::from_hours(24);
/// As many as an account may have.
const MANY: usize = 500;

const MADE: &[Code] = &[Code::NotFound, Code::Forbidden, Code::Refused];
const ROTATED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    use Policy::{Api, Operator};
    vec![
        Route::api(routes!(list::list), Api(Right::Read), SMALL, &[]),
        Route::api(routes!(create::create), Api(Right::Read), SMALL, MADE).gives(),
        Route::api(routes!(revoke::all), Api(Right::Own), SMALL, &[]),
        Route::api(routes!(revoke::one_of_them), Api(Right::Read), SMALL, &[Code::NotFound]),
        Route::api(routes!(rotate::rotate), Api(Right::Read), SMALL, ROTATED).gives(),
        Route::api(routes!(key::list), Operator(Right::Read), SMALL, &[]),
        Route::api(routes!(key::create), Operator(Right::Own), SMALL, &[Code::Refused]).gives(),
        Route::api(routes!(key::revoke), Operator(Right::Own), SMALL, &[Code::NotFound]),
    ]
}

/// What an owner sees, and who else sees it: whoever's it is, and what was made by the token that asks.
fn theirs(who: &Principal, token: &Token) -> bool {
    let caller = who.caller();
    let owner = caller.only.is_none() && caller.right == Some(Right::Own);
    let own = caller.only.is_none() && caller.person.is_some() && caller.person == token.person;
    let by = caller.root.token.as_ref();
    let made = by.is_some_and(|by| token.id == *by || token.root.token.as_ref() == Some(by));
    owner || own || made
}

/// The tokens that they see, the newest first.
async fn seen(app: &App, who: &Principal) -> Result<Vec<Token>, Trouble> {
    let mut found = app.access.tokens(Some(who.home().clone()), Purpose::Api).await?;
    found.extend(app.access.tokens(Some(who.home().clone()), Purpose::Invite).await?);
    found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    found.retain(|token| theirs(who, token));
    Ok(found)
}

/// One that they see, and that may no more than they: what may less ends nothing that may more, and gets
/// no value of it.
async fn one(app: &App, who: &Principal, id: &str) -> Result<Token, Trouble> {
    let found = seen(app, who).await?.into_iter().find(|token| token.id.as_str() == id);
    let token = found.ok_or_else(|| Trouble::missing("token"))?;
    if token.right > who.most() { Err(Trouble::less(token.right)) } else { Ok(token) }
}

/// How long it is to work.
fn lasts(seconds: Option<u64>) -> Result<Duration, Trouble> {
    match seconds.map(Duration::from_secs) {
        None => Ok(LASTS),
        Some(time) if !time.is_zero() && time <= MOST => Ok(time),
        Some(_) => {
            let hint = "ask for less, and `smartbox token rotate` in time";
            Err(Trouble::new(Code::Refused, "a token works for at most 366 days", hint))
        }
    }
}

/// What somebody calls something: one line.
pub(super) fn one_line(text: &str) -> Result<String, Trouble> {
    let text = text.trim();
    if text.chars().count() <= 100 && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Trouble::new(
        Code::Refused,
        "that is not a name",
        "write one line of at most 100 characters",
    ))
}
