//! `GET /`: exchanges the token of the link for a session, leads those who are signed in to their
//! PA, and asks the others to sign in.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::REFERRER_POLICY;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use smartbox_core::smartbox::Base;

use super::{login, refused, render};
use crate::app::App;
use crate::http::body::Query;
use crate::http::route::Policy;
use crate::http::trouble::Trouble;
use crate::http::{principal, toll, vouched};

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    token: Option<String>,
}

pub(super) async fn home(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    parts: Parts,
) -> Result<Response, Trouble> {
    if let Some(token) = asked.token {
        let mut response = login::exchange(&app, &parts, &token, "/").await?;
        // The address held a token: nothing that this page leads to may learn it. A page with the
        // sign-in form sends its origin all the same, or the form would come without one.
        let signed_in = response.status().is_redirection();
        let policy = if signed_in { "no-referrer" } else { "strict-origin" };
        response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static(policy));
        return Ok(response);
    }
    let who = match principal::find(&app, &parts).await {
        Ok(who) => who,
        Err(why) => return Ok(refused(Policy::Public, &parts, why)),
    };
    let Some(who) = who else {
        // The guard asks nobody here who they are, so it does not learn that a secret was wrong.
        if principal::tries(&parts.headers) {
            toll::unknown(&app, &parts).await;
            app.denials.sign_in(&app, principal::address(&parts)).await?;
        }
        let wrong = vouched::wrong(&app, &parts.headers).await;
        let page = render::sign_in(&app, &parts, "/", wrong.as_deref());
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    toll::pass(&app, &who, &parts, false).await?;
    let rows = app.control.within(&(&who).into()).await?;
    Ok(match rows.iter().find(|row| row.base == Base::Pa) {
        Some(pa) => render::open(&app, &who, pa)?.into_response(),
        None => Redirect::to("/boxes").into_response(),
    })
}
