//! `PUT` and `PATCH /api/v1/boxes/{name}/config`. A stopped box stays stopped.

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use smartbox_api::config::{ConfigChanged, ConfigQuery};
use smartbox_control::How;

use super::terms;
use super::view::{changed, tagged};
use crate::app::App;
use crate::http::body::{Json, MergePatch, Query};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Replaces the owner's configuration.
///
/// Checked against the engine's own schema before anything is written. Keys of the platform's are
/// left out and named. With `dry_run` it only says what would come of it.
#[utoipa::path(
    put,
    path = "/api/v1/boxes/{name}/config",
    tag = "config",
    params(ConfigQuery, ("If-Match" = Option<String>, Header, description = "The `ETag` that was seen.")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = ConfigChanged, description = "What came of it.",
        headers(("etag" = String, description = "The new document's digest.")))),
)]
pub(super) async fn replace(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(query): Query<ConfigQuery>,
    headers: HeaderMap,
    Json(document): Json<Value>,
) -> Result<Response, Trouble> {
    change(&app, &who, &name, query, &headers, How::Replace(document)).await
}

/// Merges a patch (RFC 7396) into the owner's configuration.
///
/// `null` removes a key. A top-level `model` is the assistant's model: a plain name is one that the AI
/// gateway knows, `provider/model` one of a provider in the configuration; `null` leaves the choice to
/// the platform again.
#[utoipa::path(
    patch,
    path = "/api/v1/boxes/{name}/config",
    tag = "config",
    params(ConfigQuery, ("If-Match" = Option<String>, Header, description = "The `ETag` that was seen.")),
    request_body(content(
        (Object = "application/merge-patch+json"),
        (Object = "application/json"),
    )),
    responses((status = 200, body = ConfigChanged, description = "What came of it.",
        headers(("etag" = String, description = "The new document's digest.")))),
)]
pub(super) async fn patch(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(query): Query<ConfigQuery>,
    headers: HeaderMap,
    MergePatch(patch): MergePatch,
) -> Result<Response, Trouble> {
    change(&app, &who, &name, query, &headers, How::Patch(patch)).await
}

async fn change(
    app: &App,
    who: &Principal,
    name: &str,
    query: ConfigQuery,
    headers: &HeaderMap,
    how: How,
) -> Result<Response, Trouble> {
    let row = app.control.find(who, name).await?;
    let terms = terms(headers, query.dry_run);
    let outcome = app.control.change_config(&who.actor, &row.id, &how, &terms).await?;
    let digest = outcome.digest.clone();
    Ok(tagged(&digest, changed(outcome)))
}
