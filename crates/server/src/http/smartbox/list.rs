//! `GET /api/v1/boxes`: the boxes of the account, by name, a page at a time. Wakes nothing.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::smartbox::SmartboxView;
use smartbox_core::route::port::Resolve;
use smartbox_core::smartbox::State as BoxState;

use super::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "boxes";

/// The boxes of the account, by name.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes",
    tag = "boxes",
    params(PageQuery),
    responses((status = 200, body = Page<SmartboxView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<SmartboxView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let mut rows = app.control.list(&who.account).await?;
    rows.retain(|row| after.as_ref().is_none_or(|after| row.name > *after));
    let page = Page::of(rows, LIST, limit, |row| &row.name);
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let phase = match row.state {
            BoxState::Starting => {
                app.control.route(&row.label).await?.map(|route| route.phase).unwrap_or_default()
            }
            _ => String::new(),
        };
        items.push(view::row(row, phase, &app.site));
    }
    Ok(Json(Page { items, next: page.next }))
}
