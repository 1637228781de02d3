//! `PUT /api/v1/secrets/{name}`: keeps a secret, sealed, together with its record in the audit.

use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::problem::Code;
use smartbox_api::secret::{MAX_VALUE, NewSecret, SecretQuery};
use smartbox_core::secret::{Secret, check_name};

use super::{act, revision, scope};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::revision::{IfMatch, Revision};
use crate::http::trouble::Trouble;

/// Keeps a secret, sealed. Its value never comes out again.
#[utoipa::path(
    put,
    path = "/api/v1/secrets/{name}",
    tag = "secrets",
    params(IfMatch),
    request_body = NewSecret,
    responses((status = 204, description = "It is kept.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn put(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    seen: IfMatch,
    Json(new): Json<NewSecret>,
) -> Result<impl IntoResponse, Trouble> {
    let NewSecret { value, smartbox, platform } = new;
    let (value, of) = (Secret::new(value), SecretQuery { smartbox, platform });
    check_name(&name).map_err(|e| Trouble::new(Code::BadName, e.to_string(), ""))?;
    if value.expose().is_empty() {
        let hint = "to forget a secret, remove it";
        return Err(Trouble::new(Code::BadRequest, "the value is empty", hint));
    }
    if value.expose().len() > MAX_VALUE {
        return Err(Trouble::too_large(MAX_VALUE));
    }
    let (scope, account) = scope(&app, &who, &of).await?;
    let act = act(&app, &who, (&scope, account), "secret.set", &name);
    let work = app.control.change_secrets(
        move |tx| {
            Box::pin(async move {
                if !seen.allows(revision(tx, &scope, &name).await?) {
                    return Ok(None);
                }
                let revision = tx.secrets().set(scope, name, value).await?;
                tx.audit().append(act).await?;
                Ok(Some(revision))
            })
        },
        Option::is_some,
    );
    let set = work.await?;
    let revision = set.map(Revision).ok_or_else(IfMatch::failed)?;
    Ok((StatusCode::NO_CONTENT, revision, ()))
}
