//! `PATCH` and `DELETE /api/v1/people/{person}`.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::person::{Operates, PersonChange, PersonView};

use super::whom;
use crate::access::{self, Caller};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::token::one_line;
use crate::http::trouble::Trouble;

/// Changes a person. What is absent stays. Whoever is disabled is shut out at once.
///
/// For operators.
#[utoipa::path(
    patch,
    path = "/api/v1/people/{person}",
    tag = "people",
    request_body = PersonChange,
    responses((status = 200, body = PersonView, description = "The person as they are now.")),
)]
pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(person): Path<String>,
    Json(change): Json<PersonChange>,
) -> Result<axum::Json<PersonView>, Trouble> {
    let change = access::PersonChange {
        name: change.name.as_deref().map(one_line).transpose()?,
        operator: change.operator.map(Operates::right),
        disabled: change.disabled,
    };
    let changed = app.access.change_person(&by(&app, &who), whom(&person)?, change).await??;
    Ok(axum::Json(changed.into()))
}

/// Removes a person with all that they may, their sessions and tokens.
///
/// For operators.
#[utoipa::path(
    delete,
    path = "/api/v1/people/{person}",
    tag = "people",
    responses((status = 204, description = "They are gone.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(person): Path<String>,
) -> Result<StatusCode, Trouble> {
    app.access.remove_person(&by(&app, &who), whom(&person)?).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// In the installation's audit, whichever account was named.
fn by(app: &App, who: &Principal) -> Caller {
    Caller { account: app.account.id.clone(), ..who.caller().clone() }
}
