//! `POST /device`: shows the device that shows a code, or decides about it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use smartbox_api::problem::Code;
use smartbox_core::device::{Undecided, code};
use smartbox_core::person::Right;

use super::show::Page;
use super::{Done, Line, Names, PATH};
use crate::access::Decision;
use crate::app::App;
use crate::http::body::Form;
use crate::http::device;
use crate::http::page::admin::on_behalf;
use crate::http::page::browser;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// What the button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Find,
    Approve,
    Reject,
}

/// A form of the page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    verb: Verb,
    /// What the device shows.
    code: Option<String>,
    /// Which one was shown.
    device: Option<String>,
    /// The request of it that was shown.
    ask: Option<String>,
    /// How much it may.
    right: Option<Right>,
    /// `yes`: they looked, and the device shows the same digits (RFC 8628, 5.4).
    same: Option<String>,
    /// Whose devices, if an operator looks after them.
    account: Option<String>,
    /// By which the browser shows that it is the one that signed in.
    #[serde(default, skip_serializing)]
    proof: String,
}

pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    parts: Parts,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Trouble> {
    let (who, account) = on_behalf(&app, who, wanted.account.as_deref()).await?;
    let which = wanted.device.as_deref().unwrap_or_default();
    let done = match wanted.verb {
        Verb::Find => {
            let typed = wanted.code.unwrap_or_default();
            return find(&app, &who, &typed, account.unwrap_or_default()).await;
        }
        Verb::Approve if wanted.same.as_deref() != Some("yes") => {
            let hint = "look at the device, and say that it shows the same digits";
            return Err(Trouble::new(Code::BadRequest, "nobody has compared the digits", hint));
        }
        Verb::Approve => {
            let page = browser::unsigned(&app, &parts, &who, &wanted, &wanted.proof).await?;
            if let Some(page) = page {
                return Ok(page);
            }
            decide(&app, &who, which, shown(wanted.right, wanted.ask)).await?
        }
        Verb::Reject => decide(&app, &who, which, Decision::Reject).await?,
    };
    let account = account.map(|name| format!("account={name}&")).unwrap_or_default();
    Ok(Redirect::to(&format!("{PATH}?{account}done={}", done.word())).into_response())
}

/// The device, or the field again with what is wrong. Who guesses waits, as everywhere.
async fn find(
    app: &App,
    who: &Principal,
    typed: &str,
    account: String,
) -> Result<Response, Trouble> {
    let shown = code::typed(typed).map(|code| code::shown(&code)).unwrap_or_default();
    let mut page = Page { done: None, wrong: None, code: shown, account, line: None };
    match device::showing(app, who, typed).await {
        Ok(found) => {
            let (most, now) = (device::most(who)?, app.clock.now());
            let names = Names::of(app, who.account()?).await?;
            page.line = Some(Line::of(&found, most, now, &names));
            Ok(render::page(&page).into_response())
        }
        Err(trouble) => {
            let said = match trouble.problem().known() {
                Some(Code::BadName) => "That is no code. One has eight letters, like BCDF-GHJK.",
                Some(Code::NotFound) => {
                    "No device shows that code now. One is good for ten minutes, and once."
                }
                _ => return Err(trouble),
            };
            page.wrong = Some(said);
            let status = http::StatusCode::from_u16(trouble.problem().status);
            Ok((status.unwrap_or(http::StatusCode::BAD_REQUEST), render::page(&page))
                .into_response())
        }
    }
}

/// Lets in what the page showed. A form that does not say what that was has shown nothing.
pub(in crate::http::page) fn shown(right: Option<Right>, ask: Option<String>) -> Decision {
    Decision::Approve { right, ask: Some(ask.unwrap_or_default()) }
}

/// Decides about one of the account's. Whoever was too late is told so: nothing is wrong with that.
pub(in crate::http::page) async fn decide(
    app: &App,
    who: &Principal,
    which: &str,
    decision: Decision,
) -> Result<Done, Trouble> {
    let found = device::one(app, who, which).await?;
    match device::decided(app, who, found.id, decision.clone()).await? {
        Ok(_) => Ok(match decision {
            Decision::Approve { .. } => Done::Approve,
            Decision::Reject => Done::Reject,
            Decision::Revoke => Done::Revoke,
        }),
        Err(Undecided::Already | Undecided::Over) => Ok(Done::Late),
        Err(Undecided::Another) => Ok(Done::Another),
        Err(why @ (Undecided::TooMuch | Undecided::TooLittle)) => {
            Err(device::undecided(why, &decision))
        }
    }
}
