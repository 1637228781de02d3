//! `POST /api/v1/people`: writes somebody down before they come.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::person::{NewPerson, PersonView};
use smartbox_api::problem::Code;
use smartbox_core::person::email;

use crate::access::Caller;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::token::one_line;
use crate::http::trouble::Trouble;

/// Writes a person down before they come. Whoever signs in with that address, and a provider vouches for
/// it, is them.
///
/// For operators.
#[utoipa::path(
    post,
    path = "/api/v1/people",
    tag = "people",
    request_body = NewPerson,
    responses((status = 201, body = PersonView, description = "They are written down.")),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    Json(new): Json<NewPerson>,
) -> Result<impl IntoResponse, Trouble> {
    let email = email(&new.email).ok_or_else(|| {
        Trouble::new(Code::Refused, "that is no address", "write it like ann@example.com")
    })?;
    let name = one_line(new.name.as_deref().unwrap_or(&email))?;
    let by = Caller { account: app.account.id.clone(), ..who.caller().clone() };
    let made = app.access.new_person(&by, email, name, new.operator).await?;
    Ok((StatusCode::CREATED, axum::Json(PersonView::from(made))))
}
