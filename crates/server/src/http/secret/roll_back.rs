//! `POST /api/v1/secrets/{name}/rollback`: gives a secret a value again that it had.

use axum::extract::{Path, State};
use smartbox_api::secret::{RollBackSecret, RolledBackSecret, SecretQuery};
use smartbox_core::store::StoreError;

use super::{act, revision, scope};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::revision::{IfMatch, Revision};
use crate::http::trouble::Trouble;

/// Gives a secret a value again that it had; that is a revision of its own, and counts at once.
#[utoipa::path(
    post,
    path = "/api/v1/secrets/{name}/rollback",
    tag = "secrets",
    params(IfMatch),
    request_body = RollBackSecret,
    responses((status = 200, body = RolledBackSecret, description = "It has that value.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn roll_back(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    seen: IfMatch,
    Json(wanted): Json<RollBackSecret>,
) -> Result<(Revision, axum::Json<RolledBackSecret>), Trouble> {
    let RollBackSecret { to, smartbox, platform } = wanted;
    let (scope, account) = scope(&app, &who, &SecretQuery { smartbox, platform }).await?;
    let mut act = act(&app, &who, (&scope, account), "secret.roll_back", &name);
    act.detail = format!("{} to {to}", act.detail);
    let work = app.control.change_secrets(
        move |tx| {
            Box::pin(async move {
                let there = revision(tx, &scope, &name).await?;
                let there = there.ok_or(StoreError::Missing { what: "secret" })?;
                if !seen.allows(Some(there)) {
                    return Ok(None);
                }
                let revision = tx.secrets().roll_back(scope, name, to).await?;
                tx.audit().append(act).await?;
                Ok(Some(revision))
            })
        },
        Option::is_some,
    );
    let revision = work.await?.ok_or_else(IfMatch::failed)?;
    Ok((Revision(revision), axum::Json(RolledBackSecret { revision })))
}
