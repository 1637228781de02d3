//! `/invited`: where an invitation leads. Looking at it changes nothing, and tells nothing: what the link holds
//! is behind `#`, and a script puts it into the form.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use smartbox_core::secret::Secret;
use smartbox_core::token::plausible;

use super::{browser, login, render};

use crate::app::App;
use crate::http::body::Form;
use crate::http::principal::address;
use crate::http::toll;
use crate::http::trouble::Trouble;

#[derive(Template)]
#[template(path = "invited.html")]
struct Page {
    wrong: bool,
}

#[derive(serde::Deserialize)]
pub(super) struct Given {
    token: String,
}

pub(super) async fn show() -> Html<String> {
    render::page(&Page { wrong: false })
}

pub(super) async fn accept(
    State(app): State<App>,
    parts: Parts,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    login::unread(&app, &parts.headers)?;
    let client = toll::client(&parts.extensions);
    let token = Secret::new(given.token.trim().to_owned());
    if !plausible(token.expose()) {
        toll::may_guess(&app, client).await?;
    }
    let Some(accepted) = app.access.accept(&token).await? else {
        toll::wrong(&app, client, token.expose()).await;
        app.denials.sign_in(&app, address(&parts)).await?;
        let page = render::page(&Page { wrong: true });
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let mut new = browser::of(&parts, "invitation");
    if !accepted.name.is_empty() {
        new.name = accepted.name;
    }
    login::begin(&app, &parts, &accepted.caller, (new, "/")).await
}
