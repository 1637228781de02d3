//! `/_admin/`: who is let in with what, for whoever may decide that; and, for whoever runs the installation,
//! how people sign in. The address is the original's. It works without scripts; each button is a form.

mod change;
mod notices;
mod show;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use smartbox_core::person::Right;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::route::{Policy, Route, SMALL};
use crate::http::trouble::Trouble;

const PATH: &str = "/_admin/";

pub(super) fn routes() -> [Route; 3] {
    let manage = Policy::Session(Right::Manage);
    [
        Route::page((Method::GET, "/_admin"), manage, SMALL, bare),
        Route::page((Method::GET, PATH), manage, SMALL, show::show),
        Route::page((Method::POST, PATH), manage, SMALL, change::change),
    ]
}

async fn bare(State(app): State<App>, who: Principal) -> Result<Response, Trouble> {
    if !runs(&app, &who) && !who.operates() {
        who.account()?;
    }
    Ok(Redirect::permanent(PATH).into_response())
}

/// Whether they run the installation: an operator, or an owner of its first account. Other accounts, and who
/// manages without owning, have no business with how people sign in.
fn runs(app: &App, who: &Principal) -> bool {
    who.runs() || (who.may(Right::Own) && *who.home() == app.account.id)
}

/// The same person, looking after the account that the address or a form names, and how it is called. Only
/// an operator names one.
pub(super) async fn on_behalf(
    app: &App,
    who: Principal,
    named: Option<&str>,
) -> Result<(Principal, Option<String>), Trouble> {
    match named {
        None | Some("") => Ok((who, None)),
        Some(named) => {
            let who = who.acting_for(app, named).await?;
            let account = app.control.account(who.home().as_str()).await?;
            Ok((who, Some(account.name)))
        }
    }
}
