//! `GET /login/oidc`: to the provider.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::{HOST, SET_COOKIE};

use super::{BACK, Kept, cookie_name, provider, refusal};
use crate::app::App;
use crate::http::body::Query;
use crate::http::cookie;
use crate::http::page::login::unread;
use crate::http::page::own_path;
use crate::http::trouble::Trouble;

#[derive(serde::Deserialize)]
pub(in crate::http::page) struct Asked {
    #[serde(default)]
    next: String,
}

pub(in crate::http::page) async fn begin(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let provider = provider(&app)?;
    unread(&app, &headers)?;
    let (origin, next) = (app.site.origin(), own_path(&asked.next));
    // The provider leads back to one address; the cookie must be of the same host.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let here = origin.split_once("://").map_or("", |(_, host)| host);
    if !host.is_empty() && !host.eq_ignore_ascii_case(here) {
        return Ok(Redirect::to(&format!("{origin}/login/oidc?next={next}")).into_response());
    }
    let begun = provider.oidc.begin(&format!("{origin}{BACK}")).await;
    let begun = begun.map_err(|error| refusal(&error))?;
    let kept = Kept { pending: begun.pending, next: next.to_owned() };
    let sealed = app.sign_in.seal.close(&*app.entropy, &kept);
    let sealed = sealed.ok_or_else(Trouble::broken)?;
    let mut response = Redirect::to(begun.url.as_str()).into_response();
    if let Some(set) = cookie::keep(&cookie_name(&app.site), &sealed, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    Ok(response)
}
