//! `POST /api/v1/device/token`: a device polls for what was decided (RFC 8628, 3.4).

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use smartbox_api::device::{DeviceToken, GRANT, OAuthError, TokenAsk};
use smartbox_api::dpop;
use smartbox_core::device::Poll;

use super::oauth::{refused, unproven};
use crate::access::Polled;
use crate::app::App;
use crate::http::body::Form;
use crate::http::principal;
use crate::http::trouble::Trouble;

/// A device polls for what was decided (RFC 8628, 3.4).
///
/// The `DPoP` proof is of the same key, and contains the `nonce` that the request was answered with. The
/// token comes once, and is good only with proofs of this key.
#[utoipa::path(
    post,
    path = "/api/v1/device/token",
    tag = "devices",
    request_body(content = TokenAsk, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = DeviceToken, description = "It is let in."),
        (status = 400, body = OAuthError, description = "Not, or not yet."),
    ),
)]
pub(super) async fn token(State(app): State<App>, request: Request) -> Result<Response, Trouble> {
    let (parts, body) = request.into_parts();
    let (by, proof) = match principal::proven(&app, &parts) {
        Ok(proven) => proven,
        Err(why) => return unproven(why),
    };
    let Form(ask) = Form::<TokenAsk>::from_request(Request::from_parts(parts, body), &()).await?;
    if ask.grant_type != GRANT {
        return Ok(refused("unsupported_grant_type", "the grant of RFC 8628 is meant"));
    }
    let polled = app.access.device_polls(&ask.device_code, by, proof.claims.nonce).await?;
    Ok(match polled {
        Polled::Granted(granted) => {
            let token = DeviceToken {
                access_token: granted.token.expose().clone(),
                token_type: dpop::SCHEME.into(),
                scope: granted.right,
                device: granted.device,
            };
            Json(token).into_response()
        }
        Polled::Told(Poll::Pending) => refused("authorization_pending", "nobody has decided yet"),
        Polled::Told(Poll::SlowDown) => refused("slow_down", "wait five seconds longer each time"),
        Polled::Told(Poll::Denied) => refused("access_denied", "somebody did not let it in"),
        Polled::Told(Poll::Expired | Poll::Granted) => {
            refused("expired_token", "nobody decided in time: ask again")
        }
        // A code that was used is one that there is not.
        Polled::Unknown => {
            refused("invalid_grant", "there is no such request of this key, with this nonce")
        }
    })
}
