//! `GET /api/v1/kinds`: the kinds that there are, by name.

use axum::Json;
use axum::extract::State;
use smartbox_api::kind::KindView;
use smartbox_api::page::{Page, PageQuery};
use smartbox_control::Origin;
use smartbox_core::kind::Template;

use crate::app::App;
use crate::http::body::Query;
use crate::http::trouble::Trouble;

const LIST: &str = "kinds";

/// The kinds that smartboxes are made from, by name: those that ship, and the owner's own.
///
/// Their tools are kept and shown; nothing is enforced by them yet.
#[utoipa::path(
    get,
    path = "/api/v1/kinds",
    tag = "kinds",
    params(PageQuery),
    responses((status = 200, body = Page<KindView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<KindView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let all = app.control.kinds().iter();
    let rest =
        all.filter(|(kind, _)| after.as_deref().is_none_or(|after| kind.name.as_str() > after));
    let page = Page::of(rest, LIST, limit, |(kind, _)| kind.name.as_str());
    Ok(Json(page.map(|(kind, origin)| view(kind, origin))))
}

fn view(kind: &Template, origin: Origin) -> KindView {
    KindView {
        name: kind.name.clone(),
        base: kind.base,
        description: kind.description.clone(),
        notice: kind.notice.clone(),
        tier: kind.tier.clone(),
        egress: kind.egress.clone(),
        tools: kind.tools.clone(),
        files: kind.files.keys().cloned().collect(),
        settings: serde_json::Value::Object(kind.settings.clone()),
        own: origin == Origin::Own,
    }
}
