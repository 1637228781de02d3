//! `GET /health`: the process lives.

use axum::Json;
use smartbox_api::platform::Health;

/// The process lives.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses((status = 200, body = Health, description = "It lives.")),
)]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok".into() })
}
