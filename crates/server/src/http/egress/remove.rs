//! `DELETE /api/v1/egress/rules/{id}`: takes a rule back.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::egress::EgressRuleQuery;

use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Takes a rule of the account or of a box back. What it alone let out is cut.
#[utoipa::path(
    delete,
    path = "/api/v1/egress/rules/{id}",
    tag = "egress",
    params(EgressRuleQuery),
    responses((status = 204, description = "It counts no more.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    Query(of): Query<EgressRuleQuery>,
) -> Result<StatusCode, Trouble> {
    let (scope, account) = scope(&app, &who, of.smartbox.as_deref()).await?;
    let id = id.parse().map_err(|_| Trouble::missing("rule"))?;
    app.control.remove_egress(&who.actor, &account, scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
