//! `GET /api/v1/accounts`: every account, by name.

use axum::Json;
use axum::extract::State;
use smartbox_api::account::AccountView;
use smartbox_api::page::{Page, PageQuery};

use crate::app::App;
use crate::http::body::Query;
use crate::http::trouble::Trouble;

const LIST: &str = "accounts";

/// Every account, by name.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "accounts",
    params(PageQuery),
    responses((status = 200, body = Page<AccountView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<AccountView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let mut accounts = app.control.accounts().await?;
    accounts.retain(|account| after.as_ref().is_none_or(|after| account.name > *after));
    let page = Page::of(accounts, LIST, limit, |account| &account.name);
    Ok(Json(page.map(AccountView::from)))
}
