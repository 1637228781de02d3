//! `GET /ready`: records can be read, and the platform is not going down.

use axum::Json;
use axum::extract::State;
use smartbox_api::platform::Health;
use smartbox_api::problem::Code;
use smartbox_core::store;

use crate::app::App;
use crate::http::trouble::Trouble;

/// Records can be read, and the platform is not going down.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "health",
    responses((status = 200, body = Health, description = "It can work.")),
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Trouble> {
    if app.draining.is_cancelled() {
        return Err(Trouble::new(Code::Draining, "the platform is shutting down", ""));
    }
    let id = app.account.id.clone();
    store::read(&*app.store, |tx| Box::pin(async move { tx.accounts().get(id).await })).await?;
    Ok(Json(Health { status: "ok".into() }))
}
