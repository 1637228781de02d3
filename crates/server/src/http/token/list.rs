//! `GET /api/v1/tokens`: the tokens of the account, never a value.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::token::TokenView;
use smartbox_core::token::Token;

use super::seen;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "tokens";

/// Tokens of the API, the newest first; never a value.
///
/// An owner sees all of the account, everybody else their own.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    tag = "tokens",
    params(PageQuery),
    responses((status = 200, body = Page<TokenView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<TokenView>>, Trouble> {
    page(seen(&app, &who).await?, LIST, &which).map(Json)
}

/// A page of tokens that come the newest first.
pub(super) fn page(
    tokens: Vec<Token>,
    list: &str,
    which: &PageQuery,
) -> Result<Page<TokenView>, Trouble> {
    let (limit, after) = which.read(list)?;
    let key = |token: &Token| format!("{:020} {}", i64::MAX - token.created.0, token.id);
    let keyed = tokens.into_iter().map(|token| (key(&token), token));
    let rest = keyed.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    Ok(Page::of(rest, list, limit, |(key, _)| key).map(|(_, token)| token.into()))
}
