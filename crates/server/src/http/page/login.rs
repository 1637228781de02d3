//! `/login`: exchanges a token for a session.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::StatusCode;
use http::header::{HOST, SET_COOKIE};
use http::request::Parts;
use smartbox_api::problem::Code;
use smartbox_core::audit;
use smartbox_core::secret::Secret;
use smartbox_core::token::plausible;

use super::{browser, own_path, render};
use crate::access::{Bearer, Caller, Newcomer};
use crate::app::App;
use crate::config::devices::Browsers;
use crate::http::body::Form;
use crate::http::cookie;
use crate::http::principal::address;
use crate::http::trouble::Trouble;
use crate::http::{origin, toll};

#[derive(serde::Deserialize)]
pub(super) struct Given {
    token: String,
    #[serde(default)]
    next: String,
}

/// The form is on the start page, and whoever is signed in already is led on from there.
pub(super) async fn show() -> Redirect {
    Redirect::to("/")
}

pub(super) async fn login(
    State(app): State<App>,
    parts: Parts,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    exchange(&app, &parts, &given.token, &given.next).await
}

/// A session for whoever this is the token of, or the sign-in page again.
pub(super) async fn exchange(
    app: &App,
    parts: &Parts,
    token: &str,
    next: &str,
) -> Result<Response, Trouble> {
    unread(app, &parts.headers)?;
    // A page that goes through tokens by addresses is nobody's link.
    if !origin::clicked(&parts.headers) {
        let detail = "another site led here with a token, and nobody clicked";
        return Err(Trouble::new(Code::Forbidden, detail, "open the link yourself"));
    }
    let client = toll::client(&parts.extensions);
    let from = address(parts);
    let token = Secret::new(token.trim().to_owned());
    if !plausible(token.expose()) {
        toll::may_guess(app, client).await?;
    }
    let caller = match app.access.bearer(token.expose()).await? {
        Some(Bearer::Master) => Caller::owner(app.account.id.clone(), "master-token".to_owned()),
        Some(Bearer::Token(caller)) => caller,
        None => {
            toll::wrong(app, client, token.expose()).await;
            app.denials.sign_in(app, from).await?;
            let wrong = "That token is not known. `smartbox up` prints a fresh link each time it \
                         starts, and older links end then.";
            let page = render::sign_in(app, parts, next, Some(wrong));
            return Ok((StatusCode::UNAUTHORIZED, page).into_response());
        }
    };
    begin(app, parts, &caller, (browser::of(parts, ""), own_path(next))).await
}

/// A new session for this browser, in the place of the one that it had. It shows its key next, if it can keep
/// one, and then goes on.
pub(super) async fn begin(
    app: &App,
    parts: &Parts,
    caller: &Caller,
    (new, next): (Newcomer, &str),
) -> Result<Response, Trouble> {
    let lets_in = caller.welcome || app.devices.browsers == Browsers::SignIn;
    let session = app.access.begin(caller, new, lets_in).await?;
    replace(app, parts, caller).await?;
    // A token of one box leads there, and to no page of the account.
    let to_box = match &caller.only {
        Some(id) => {
            let row = app.control.find(&caller.account, id.as_str()).await?;
            Some(format!("/open/{}", row.label))
        }
        None => None,
    };
    let next = to_box.as_deref().unwrap_or(next);
    let mut response = Redirect::to(&browser::on_the_way_to(next)).into_response();
    if let Some(set) = cookie::begin(&app.site.cookie(), &session, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    Ok(response)
}

/// Ends what this browser had before: whoever it was, they are not any more, and nobody would have the cookie
/// but who has stolen it.
pub(super) async fn replace(app: &App, parts: &Parts, caller: &Caller) -> Result<(), Trouble> {
    let by = audit::by(&caller.actor, address(parts));
    for value in cookie::values(&parts.headers, &app.site.cookie()) {
        app.access.end(value, &by).await?;
    }
    Ok(())
}

/// Refuses where others could read along.
pub(super) fn unread(app: &App, headers: &HeaderMap) -> Result<(), Trouble> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if app.site.signs_in(host) {
        return Ok(());
    }
    let detail = "whoever listens to this network could read a sign-in at this address, and use it";
    let hint = "open the platform on its own machine, or give it TLS: `[http.tls]` or `http.url` in \
                smartbox.toml";
    Err(Trouble::new(Code::Forbidden, detail, hint))
}
