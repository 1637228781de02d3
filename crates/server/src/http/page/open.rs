//! `/open/{label}`: from the platform's origin to a box's. `GET` shows a page whose form posts
//! itself, since a `GET` makes nothing; `POST` makes the ticket and leads on. A browser that has a key signs
//! for it each time: a cookie that somebody has taken opens no box.

use axum::extract::{FromRequest, Path, Request, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use smartbox_core::smartbox::Smartbox;

use super::browser::{Shown, shown};
use super::render;
use crate::app::App;
use crate::http::body::Form;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(serde::Deserialize)]
struct Given {
    #[serde(default)]
    proof: String,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Path(label): Path<String>,
) -> Result<Html<String>, Trouble> {
    render::open(&app, &who, &find(&app, &who, &label).await?)
}

pub(super) async fn open(
    State(app): State<App>,
    who: Principal,
    Path(label): Path<String>,
    request: Request,
) -> Result<Response, Trouble> {
    let row = find(&app, &who, &label).await?;
    if let Some(browser) = who.browser().filter(|browser| browser.is_keyed()) {
        let (parts, body) = request.into_parts();
        let again = || Ok(Redirect::to(&format!("/open/{}", row.label)).into_response());
        let form = Form::<Given>::from_request(Request::from_parts(parts.clone(), body), &()).await;
        // From a list, or without scripts: the page that signs.
        let Ok(Form(Given { proof })) = form else { return again() };
        if proof.is_empty() {
            return again();
        }
        match shown(&app, &parts, browser, &proof, "").await? {
            Shown::In(_) => {}
            Shown::Again | Shown::Asks { .. } => return again(),
        }
    }
    let mut response = Redirect::to(&super::enter(&app, who.caller(), &row).await?).into_response();
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The account's box with this host label, or this name.
async fn find(app: &App, who: &Principal, label: &str) -> Result<Smartbox, Trouble> {
    let rows = app.control.within(&who.into()).await?;
    let labelled = rows.iter().position(|row| row.label == label);
    let at = labelled.or_else(|| rows.iter().position(|row| row.name == label));
    let row = at.and_then(|at| rows.into_iter().nth(at));
    row.ok_or_else(|| Trouble::missing("smartbox"))
}
