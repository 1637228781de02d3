//! `/open/{label}`: from the platform's origin to a box's. `GET` shows a page whose form posts
//! itself, since a `GET` makes nothing; `POST` makes the ticket and leads on.

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::HeaderValue;
use http::header::REFERRER_POLICY;
use smartbox_core::smartbox::Smartbox;

use super::render;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Path(label): Path<String>,
) -> Result<Html<String>, Trouble> {
    Ok(render::open(&find(&app, &who, &label).await?))
}

pub(super) async fn open(
    State(app): State<App>,
    who: Principal,
    Path(label): Path<String>,
) -> Result<Response, Trouble> {
    let row = find(&app, &who, &label).await?;
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
