//! `GET /api/v1/boxes/{name}/config/schema`: the engine's own schema, byte for byte.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The schema of the configuration, as the box's engine tells it.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/config/schema",
    tag = "config",
    responses((status = 200, description = "A JSON Schema.",
        content_type = "application/schema+json", body = Object)),
)]
pub(super) async fn schema(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let text = app.control.config_schema(&row.id).await?;
    let body = Body::from(Bytes::from_owner(text));
    Ok(([(CONTENT_TYPE, "application/schema+json")], body).into_response())
}
