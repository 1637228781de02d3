//! `POST /logout`: ends the session of this browser on the platform's origin.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::app::App;
use crate::http::cookie;
use crate::http::trouble::Trouble;

pub(super) async fn logout(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let name = app.site.cookie();
    for value in cookie::values(&headers, &name) {
        app.access.end(value).await?;
    }
    let mut response = Redirect::to("/").into_response();
    if let Some(set) = cookie::end(&name, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    Ok(response)
}
