//! `POST /_admin/`: a button of the page. The same calls as those of the API, and then the page again, with a
//! word about what was done.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use smartbox_core::person::Right;

use super::{PATH, on_behalf};
use crate::access::Decision;
use crate::app::App;
use crate::http::body::Form;
use crate::http::device;
use crate::http::page::browser;
use crate::http::page::device::{Done, decide, shown};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// What the button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Approve,
    Reject,
    Revoke,
    Rename,
    All,
}

/// A form of the page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    verb: Verb,
    /// Which one; none for all that wait.
    device: Option<String>,
    /// The request of it that was shown.
    ask: Option<String>,
    /// How much it may.
    right: Option<Right>,
    /// What it is called from now on.
    name: Option<String>,
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
    who.account()?;
    if matches!(wanted.verb, Verb::Approve | Verb::All)
        && let Some(page) = browser::unsigned(&app, &parts, &who, &wanted, &wanted.proof).await?
    {
        return Ok(page);
    }
    let which = wanted.device.as_deref().unwrap_or_default();
    let done = match wanted.verb {
        Verb::Approve => decide(&app, &who, which, shown(wanted.right, wanted.ask)).await?,
        Verb::Reject => decide(&app, &who, which, Decision::Reject).await?,
        Verb::Revoke => decide(&app, &who, which, Decision::Revoke).await?,
        Verb::Rename => {
            let name = wanted.name.unwrap_or_default();
            device::renamed(&app, &who, which, name.trim()).await?;
            Done::Rename
        }
        Verb::All if device::approve_all(&app, &who).await?.is_empty() => Done::None,
        Verb::All => Done::All,
    };
    let account = account.map(|name| format!("account={name}&")).unwrap_or_default();
    let to = format!("{PATH}?{account}done={}#devices", done.word());
    Ok(Redirect::to(&to).into_response())
}
