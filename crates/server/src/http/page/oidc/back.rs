//! `GET /login/oidc/callback`: back from the provider, with a session that is new.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::HeaderValue;
use http::header::{REFERRER_POLICY, SET_COOKIE};
use http::request::Parts;
use smartbox_sign_in::{Refused, Returned};

use super::{Kept, cookie_name, provider, refusal};
use crate::app::App;
use crate::config::devices::Browsers;
use crate::http::body::Query;
use crate::http::page::login::{replace, unread};
use crate::http::page::{browser, own_path};
use crate::http::trouble::Trouble;
use crate::http::{cookie, vouched};

pub(in crate::http::page) async fn back(
    State(app): State<App>,
    Query(returned): Query<Returned>,
    parts: Parts,
) -> Response {
    let mut response =
        finish(&app, returned, &parts).await.unwrap_or_else(IntoResponse::into_response);
    let headers = response.headers_mut();
    // It is good for once, whatever came of it.
    if let Some(set) = cookie::end(&cookie_name(&app.site), app.site.secure()) {
        headers.append(SET_COOKIE, set);
    }
    // The address holds what the provider gave.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn finish(app: &App, returned: Returned, parts: &Parts) -> Result<Response, Trouble> {
    let headers = &parts.headers;
    let provider = provider(app)?;
    unread(app, headers)?;
    let kept = kept(app, &returned, headers).ok_or_else(|| refusal(&Refused::Mixed))?;
    let signed = provider.oidc.finish(&kept.pending, returned).await;
    let signed = signed.map_err(|error| refusal(&error))?;
    let caller = vouched::arrive(app, &signed.identity, parts).await?;
    let lets_in = app.devices.browsers == Browsers::SignIn;
    let session = app.access.begin(&caller, browser::of(parts, "oidc"), lets_in).await?;
    app.sign_in.hints.keep(&session, signed.id_token);
    replace(app, parts, &caller).await?;
    let next = browser::on_the_way_to(own_path(&kept.next));
    let mut response = Redirect::to(&next).into_response();
    if let Some(set) = cookie::begin(&app.site.cookie(), &session, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    Ok(response)
}

/// What this browser began. Another window may have begun too, and its cookie took the place of this one's.
fn kept(app: &App, returned: &Returned, headers: &HeaderMap) -> Option<Kept> {
    let sealed = cookie::long(headers, &cookie_name(&app.site));
    let mut opened = sealed.into_iter().filter_map(|text| app.sign_in.seal.open::<Kept>(text));
    opened.find(|kept| returned.state.as_ref() == Some(&kept.pending.state))
}
