//! `GET /health`: the process lives.

use axum::Json;
use smartbox_api::platform::Health;

pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "ok".into() })
}
