//! `POST /api/v1/tokens`: makes a token. Its value is shown this once.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::problem::Code;
use smartbox_api::token::{MadeToken, NewToken};
use smartbox_control::{ControlError, Reach};
use smartbox_core::person::Right;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::token::Purpose;

use super::{MANY, lasts, one_line};
use crate::access;
use crate::app::App;
use crate::http::body::JsonOrDefault;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a token of the API. Its value is shown this once.
///
/// It may never more than whoever makes it, neither now nor later, and one that is made by a token ends
/// with it. It works for 90 days if nothing else is asked for.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    tag = "tokens",
    request_body = Option<NewToken>,
    responses((status = 201, body = MadeToken, description = "It is made.")),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    JsonOrDefault(new): JsonOrDefault<NewToken>,
) -> Result<impl IntoResponse, Trouble> {
    let (name, lasts) = (one_line(&new.name)?, lasts(new.expires_secs)?);
    let most = new.right.unwrap_or(Right::Own).min(who.most());
    if who.stands_in() {
        return Err(not_theirs());
    }
    let mut by = who.caller().clone();
    let (right, smartbox) = match &new.smartbox {
        Some(of) => {
            let (right, row) = bound(&app, &who, of, most).await?;
            // What an operator's key makes for another account is that account's, and ends with the key.
            if by.person.is_none() && row.account != by.account {
                by.account = row.account;
            }
            (right, Some(row.id))
        }
        None => {
            who.account()?;
            (by.right.map_or(Right::Read, |right| right.min(most)), None)
        }
    };
    let new = access::NewToken { name, purpose: Purpose::Api, right, smartbox, lasts: Some(lasts) };
    let made = app.access.new_token(&by, new, MANY).await?.ok_or_else(|| {
        let hint = "revoke those that nobody uses: `smartbox token ls` says when each was used";
        Trouble::new(Code::Refused, "there are too many tokens", hint)
    })?;
    Ok((StatusCode::CREATED, Json(shown(&made))))
}

/// The smartbox that it is for, and the most that its maker may there, up to what is asked for.
async fn bound(
    app: &App,
    who: &Principal,
    of: &str,
    most: Right,
) -> Result<(Right, Smartbox), Trouble> {
    let mut least = Err(Trouble::missing("smartbox"));
    for right in Right::ALL.into_iter().filter(|right| *right <= most) {
        let everywhere = who.gives_everywhere(right);
        match app.control.find(Reach { needs: right, everywhere, ..who.into() }, of).await {
            Ok(row) => least = Ok((right, row)),
            Err(ControlError::Forbidden { .. } | ControlError::Missing { .. }) if least.is_ok() => {
                break;
            }
            // It is there, and theirs to look at by what they are and not by what they own.
            Err(ControlError::Missing { .. }) if who.everywhere() => {
                app.control.find(who, of).await?;
                return Err(not_theirs());
            }
            Err(error) => return Err(error.into()),
        }
    }
    least
}

/// A token of another account would go on when whoever made it runs the installation no more, and who they are
/// in that account is nobody.
fn not_theirs() -> Trouble {
    let hint = "make it by an operator's key that is nobody's in particular, or let somebody of the account make it";
    Trouble::new(Code::Forbidden, "you run this account, and are not in it", hint)
}

/// Shown once.
pub(super) fn shown(made: &access::MadeToken) -> MadeToken {
    MadeToken {
        id: made.id.clone(),
        token: made.value.expose().clone(),
        right: made.right,
        expires: made.expires,
    }
}
