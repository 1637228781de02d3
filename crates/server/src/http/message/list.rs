//! `GET /api/v1/boxes/{name}/messages`: the messages that were accepted for a box. Wakes nothing.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::message::MessageView;
use smartbox_api::page::{BadPage, Page, PageQuery};
use smartbox_control::ControlError;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "messages";

/// The messages that were accepted for the box, newest first.
///
/// Wakes nothing: these are the platform's own records, whatever the engine remembers.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/messages",
    tag = "messages",
    params(PageQuery),
    responses((status = 200, body = Page<MessageView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<MessageView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let before = after.map(|key| key.parse().map_err(|_| BadPage::Cursor)).transpose()?;
    let row = app.control.find(&who, &name).await?;
    let one_more = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
    let found = match app.control.messages(&row.id, before, one_more).await {
        // The message that the cursor names is none of this box's.
        Err(ControlError::Missing { what: "message" }) => return Err(BadPage::Cursor.into()),
        other => other?,
    };
    let page = Page::of(found, LIST, limit, |message| message.id.as_str());
    Ok(Json(page.map(MessageView::from)))
}
