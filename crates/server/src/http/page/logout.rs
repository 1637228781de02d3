//! `POST /logout`: ends the session of this browser on the platform's origin.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use smartbox_core::secret::Secret;

use super::render;
use crate::app::App;
use crate::http::cookie;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Whoever vouched for them would do it again: a link leads there, since a form may lead to no other site.
#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOut<'a> {
    name: &'a str,
    url: &'a str,
}

pub(super) async fn logout(
    State(app): State<App>,
    who: Principal,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let name = app.site.cookie();
    let mut hint = None;
    for value in cookie::values(&headers, &name) {
        app.access.end(value, &who.actor.0).await?;
        hint = app.sign_in.hints.take(value).or(hint);
    }
    let mut response = match elsewhere(&app, &who, hint).await? {
        Some(page) => page.into_response(),
        None => Redirect::to("/").into_response(),
    };
    if let Some(set) = cookie::end(&name, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    Ok(response)
}

/// The page that leads on to whoever vouched for them, if somebody did.
async fn elsewhere(
    app: &App,
    who: &Principal,
    hint: Option<Option<Secret<String>>>,
) -> Result<Option<Html<String>>, Trouble> {
    if let (Some(_), Some(person), Some(access)) =
        (who.caller().until, &who.caller().person, &app.sign_in.access)
    {
        app.access.end_all(person).await?;
        let url = format!("{}/cdn-cgi/access/logout", access.team().issuer());
        return Ok(Some(render::page(&SignedOut { name: "Cloudflare Access", url: &url })));
    }
    let (Some(token), Some(provider)) = (hint, &app.sign_in.provider) else { return Ok(None) };
    let back = format!("{}/", app.site.origin());
    let url = provider.oidc.logout(token.as_ref(), &back).await;
    Ok(url.map(|url| render::page(&SignedOut { name: &provider.name, url: url.as_str() })))
}
