//! `DELETE /api/v1/secrets/{name}/bindings`: a secret goes nowhere by placeholder any more.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::secret::SecretQuery;

use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Unbinds a secret. Its placeholders are worth nothing from then on.
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{name}/bindings",
    tag = "secrets",
    params(SecretQuery),
    responses((status = 204, description = "It goes nowhere any more.")),
)]
pub(super) async fn unbind(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(of): Query<SecretQuery>,
) -> Result<StatusCode, Trouble> {
    let (scope, account) = scope(&app, &who, &of).await?;
    app.control.unbind_secret(&who.actor, &account, (scope, name)).await?;
    Ok(StatusCode::NO_CONTENT)
}
