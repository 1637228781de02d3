//! `GET /api/v1/egress/presets`: lists of hosts under a name.

use axum::Json;
use axum::extract::State;
use smartbox_api::egress::EgressPresetView;
use smartbox_api::page::{Page, PageQuery};
use smartbox_control::Preset;
use smartbox_core::egress::Rule;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "egress-presets";

/// The presets: those that ship, and the operator's own.
#[utoipa::path(
    get,
    path = "/api/v1/egress/presets",
    tag = "egress",
    params(PageQuery),
    responses((status = 200, body = Page<EgressPresetView>, description = "A page of them.")),
)]
pub(super) async fn presets(
    State(app): State<App>,
    _who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<EgressPresetView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let rest = app.control.presets().filter(|p| after.as_ref().is_none_or(|after| p.name > *after));
    let view = |preset: &Preset| EgressPresetView {
        name: preset.name.clone(),
        description: preset.description.clone(),
        rules: preset.rules.iter().map(Rule::to_string).collect(),
    };
    Ok(Json(Page::of(rest.map(view), LIST, limit, |view| view.name.as_str())))
}
