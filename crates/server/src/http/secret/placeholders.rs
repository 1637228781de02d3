//! `GET /api/v1/boxes/{name}/placeholders`: what a box holds in place of secrets. Wakes nothing.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::secret::PlaceholderView;
use smartbox_control::Standin;
use smartbox_core::secret::Scope;

use super::bound::shown;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "placeholders";

/// What a box holds in place of secrets, and where each may go. None of it is worth anything elsewhere.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/placeholders",
    tag = "secrets",
    params(PageQuery),
    responses((status = 200, body = Page<PlaceholderView>, description = "A page of them.")),
)]
pub(super) async fn placeholders(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<PlaceholderView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let row = app.control.find(&who, &name).await?;
    let held = app.control.standins(&row.id).await?;
    let views = held.into_iter().map(view);
    let rest = views.filter(|one| after.as_ref().is_none_or(|after| one.name > *after));
    Ok(Json(Page::of(rest, LIST, limit, |view| view.name.as_str())))
}

fn view(one: Standin) -> PlaceholderView {
    let scope = if matches!(one.scope, Scope::Smartbox(_)) { "box" } else { "account" };
    PlaceholderView {
        name: one.held.secret,
        scope: scope.to_owned(),
        placeholder: one.held.placeholder.to_string(),
        to: one.bindings.into_iter().map(shown).collect(),
    }
}
