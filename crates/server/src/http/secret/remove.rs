//! `DELETE /api/v1/secrets/{name}`: forgets a secret.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::secret::SecretQuery;

use super::{act, revision, scope};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::revision::IfMatch;
use crate::http::trouble::Trouble;

/// Forgets a secret.
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{name}",
    tag = "secrets",
    params(SecretQuery, IfMatch),
    responses((status = 204, description = "It is forgotten.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(of): Query<SecretQuery>,
    seen: IfMatch,
) -> Result<StatusCode, Trouble> {
    let (scope, account) = scope(&app, &who, &of).await?;
    let act = act(&app, &who, (&scope, account), "secret.remove", &name);
    let work = app.control.change_secrets(
        move |tx| {
            Box::pin(async move {
                let now = revision(tx, &scope, &name).await?;
                if now.is_some() && !seen.allows(now) {
                    return Ok(None);
                }
                let there = tx.secrets().remove(scope, name).await?;
                if there {
                    tx.audit().append(act).await?;
                }
                Ok(Some(there))
            })
        },
        |there| *there == Some(true),
    );
    let there = work.await?;
    match there {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => Err(Trouble::missing("secret")),
        None => Err(IfMatch::failed()),
    }
}
