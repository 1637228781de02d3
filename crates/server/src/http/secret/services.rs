//! `GET /api/v1/secrets/services`: services whose keys are known to be sent in some way.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::secret::ServiceView;
use smartbox_control::Service;

use super::bound::shown;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "services";

/// The services that a secret can be bound as the key of.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/services",
    tag = "secrets",
    params(PageQuery),
    responses((status = 200, body = Page<ServiceView>, description = "A page of them.")),
)]
pub(super) async fn services(
    State(app): State<App>,
    _who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<ServiceView>>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let rest =
        app.control.services().filter(|s| after.as_ref().is_none_or(|after| s.name > *after));
    let view = |service: &Service| ServiceView {
        name: service.name.clone(),
        description: service.description.clone(),
        to: service.bound("KEY").bindings.into_iter().map(shown).collect(),
    };
    Ok(Json(Page::of(rest.map(view), LIST, limit, |view| view.name.as_str())))
}
