//! `POST /api/v1/tokens/{id}/rotate`: a new value for a token.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::problem::Code;
use smartbox_api::token::{MadeToken, Rotate};
use smartbox_core::token::Purpose;

use super::create::shown;
use super::{GRACE, one};
use crate::app::App;
use crate::http::body::JsonOrDefault;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Gives a token a new value, which is shown this once. It keeps its id, and lasts as long again.
///
/// What was begun by the old value ends. The old value itself works on for as long as is asked for, a
/// day at the most; not at all if nothing is. One who revokes the token revokes it too. Nobody but whose
/// it is may do this.
#[utoipa::path(
    post,
    path = "/api/v1/tokens/{id}/rotate",
    tag = "tokens",
    request_body = Option<Rotate>,
    responses((status = 200, body = MadeToken, description = "It has a new value.")),
)]
pub(super) async fn rotate(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    JsonOrDefault(how): JsonOrDefault<Rotate>,
) -> Result<Json<MadeToken>, Trouble> {
    let token = one(&app, &who, &id).await?;
    // Its value is a way to be whose it is. An owner may end that, and not have it.
    if token.person.is_some() && token.person != who.caller().person {
        let hint = "revoke it: `smartbox token revoke`";
        return Err(Trouble::new(Code::Forbidden, "this token is somebody else's", hint));
    }
    if token.purpose == Purpose::Invite {
        let hint = "revoke it, and invite again";
        return Err(Trouble::new(Code::Refused, "an invitation has one link", hint));
    }
    if token.before().is_some() {
        let hint = "rotate the token itself";
        return Err(Trouble::new(Code::Refused, "this is the old value of a token", hint));
    }
    let grace = Duration::from_secs(how.grace_secs);
    if grace > GRACE {
        let detail = "an old value works on for a day at the most";
        return Err(Trouble::new(Code::Refused, detail, "ask for less"));
    }
    let made = app.access.rotate_token(who.caller(), &token, grace).await?;
    made.map(|made| Json(shown(&made))).ok_or_else(|| Trouble::missing("token"))
}
