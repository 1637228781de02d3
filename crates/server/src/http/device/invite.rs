//! `POST /api/v1/devices/invite`: a link that signs one browser in, once, and lets it in.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::device::{Invite, Invited};
use smartbox_api::problem::Code;
use smartbox_core::person::Right;
use smartbox_core::token::Purpose;

use super::authorize::plain;
use super::most;
use crate::access::NewToken;
use crate::app::App;
use crate::http::body::JsonOrDefault;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long the link works if nobody says, and at the most.
const LASTS: Duration = Duration::from_mins(10);
const MOST: Duration = Duration::from_hours(24);
/// As many as may be open in an account.
const MANY: usize = 50;

/// Makes a link that signs one browser in, and lets it in with exactly so much: for a phone.
///
/// It is good once, and for ten minutes if nothing else is asked for. Until then it is listed among the
/// tokens, can be revoked there, and ends with what it was made by.
#[utoipa::path(
    post,
    path = "/api/v1/devices/invite",
    tag = "devices",
    request_body = Option<Invite>,
    responses((status = 201, body = Invited, description = "It is made.")),
)]
pub(super) async fn invite(
    State(app): State<App>,
    who: Principal,
    JsonOrDefault(new): JsonOrDefault<Invite>,
) -> Result<impl IntoResponse, Trouble> {
    let account = who.account()?.clone();
    let right = new.right.unwrap_or(Right::Chat);
    if right == Right::Own {
        let hint = "invite with read, chat or manage; an owner signs in by themselves";
        return Err(Trouble::new(Code::Refused, "nobody is invited to own an account", hint));
    }
    if right > most(&who)? {
        let hint = "invite with less, or have an owner invite";
        return Err(Trouble::new(Code::Forbidden, "you may not give more than you may", hint));
    }
    let lasts = new.expires_secs.map_or(LASTS, Duration::from_secs);
    if lasts.is_zero() || lasts > MOST {
        let detail = "an invitation works for a day at the most";
        return Err(Trouble::new(
            Code::Refused,
            detail,
            "ask for less: `10m` is enough for a phone",
        ));
    }
    let name = plain(Some(&new.name), "");
    if name != new.name {
        let hint = "at most 80 characters that can be seen";
        return Err(Trouble::new(Code::BadName, "that is not a name for a device", hint));
    }
    let smartbox = match &new.smartbox {
        Some(of) => Some(app.control.find(&who, of).await?),
        None => None,
    };
    if smartbox.as_ref().is_some_and(|row| row.account != account) {
        return Err(Trouble::missing("smartbox"));
    }
    let smartbox = smartbox.map(|row| row.id);
    let new = NewToken { name, purpose: Purpose::Invite, right, smartbox, lasts: Some(lasts) };
    let made = app.access.new_token(who.caller(), new, MANY).await?.ok_or_else(|| {
        let hint = "revoke some: `smartbox token ls` shows them; or wait until they are over";
        Trouble::new(Code::Refused, "the account has too many invitations", hint)
    })?;
    let invited = Invited {
        id: made.id,
        // Behind `#`: no server and no log on the way sees it, and no preview opens it.
        url: format!("{}/invited#{}", app.site.origin(), made.value.expose()),
        right: made.right,
        expires: made.expires.unwrap_or_else(|| app.clock.now()),
    };
    Ok((StatusCode::CREATED, Json(invited)))
}
