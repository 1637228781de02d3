//! `/api/v1/operator-keys`: keys with which programs run the installation, each as much as it must.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use http::StatusCode;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::problem::Code;
use smartbox_api::token::{MadeToken, NewOperatorKey, TokenView};
use smartbox_core::token::Purpose;

use super::create::shown;
use super::list::page;
use super::{MANY, lasts, one_line};
use crate::access;
use crate::app::App;
use crate::http::body::{self, Query};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "operator-keys";

/// Keys of operators, the newest first; never a value.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/operator-keys",
    tag = "operators",
    operation_id = "list",
    params(PageQuery),
    responses((status = 200, body = Page<TokenView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Trouble> {
    page(app.access.tokens(None, Purpose::Operator).await?, LIST, &which).map(Json)
}

/// Makes a key of an operator. Its value is shown this once.
///
/// For operators. It is sent as a bearer or in `X-Admin-Secret`. It may never more than whoever makes
/// it, neither now nor later, and one that is made by a key ends with it.
#[utoipa::path(
    post,
    path = "/api/v1/operator-keys",
    tag = "operators",
    operation_id = "create",
    request_body = NewOperatorKey,
    responses((status = 201, body = MadeToken, description = "It is made.")),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    body::Json(new): body::Json<NewOperatorKey>,
) -> Result<impl IntoResponse, Trouble> {
    let new = access::NewToken {
        name: one_line(&new.name)?,
        purpose: Purpose::Operator,
        right: new.right.min(who.most()),
        smartbox: None,
        lasts: Some(lasts(new.expires_secs)?),
    };
    // The installation's, whichever account was named.
    let by = access::Caller { account: app.account.id.clone(), ..who.caller().clone() };
    let made = app.access.new_token(&by, new, MANY).await?.ok_or_else(|| {
        let hint =
            "revoke those that nobody uses: `smartbox operator key ls` says when each was used";
        Trouble::new(Code::Refused, "there are too many keys of operators", hint)
    })?;
    Ok((StatusCode::CREATED, Json(shown(&made))))
}

/// Revokes a key of an operator, and ends what was begun by it.
///
/// For operators.
#[utoipa::path(
    delete,
    path = "/api/v1/operator-keys/{id}",
    tag = "operators",
    operation_id = "remove",
    responses((status = 204, description = "It is revoked.")),
)]
pub(super) async fn revoke(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Trouble> {
    let keys = app.access.tokens(None, Purpose::Operator).await?;
    let key = keys.into_iter().find(|key| key.id.as_str() == id);
    let key = key.ok_or_else(|| Trouble::missing("operator key"))?;
    match app.access.revoke_token(who.caller(), &key).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Trouble::missing("operator key")),
    }
}
