//! `DELETE /api/v1/secrets/{name}`: forgets a secret.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::secret::SecretQuery;
use smartbox_core::audit::Act;
use smartbox_core::secret::Scope;
use smartbox_core::store;

use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Forgets a secret.
#[utoipa::path(
    delete,
    path = "/api/v1/secrets/{name}",
    tag = "secrets",
    params(SecretQuery),
    responses((status = 204, description = "It is forgotten.")),
)]
pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(of): Query<SecretQuery>,
) -> Result<StatusCode, Trouble> {
    let (scope, account) = scope(&app, &who, of.smartbox.as_deref()).await?;
    let act = Act {
        account,
        actor: who.actor.0,
        action: "secret.remove".into(),
        smartbox: if let Scope::Smartbox(id) = &scope { Some(id.clone()) } else { None },
        detail: name.chars().take(80).collect(),
        at: app.clock.now(),
    };
    let there = store::write(&*app.store, move |tx| {
        Box::pin(async move {
            let there = tx.secrets().remove(scope, name).await?;
            if there {
                tx.audit().append(act).await?;
            }
            Ok(there)
        })
    })
    .await?;
    if there { Ok(StatusCode::NO_CONTENT) } else { Err(Trouble::missing("secret")) }
}
