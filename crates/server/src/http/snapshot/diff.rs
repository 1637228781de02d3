//! `GET /api/v1/boxes/{name}/snapshots/{generation}/diff`.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::problem::Code;
use smartbox_api::snapshot::{ChangeView, DiffQuery, DiffView};
use smartbox_control::Compare;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const HOME: &str = "home";
const USUAL: u32 = 1_000;
const MOST: u32 = 10_000;

/// How another generation, or the home as it is, differs from a snapshot.
///
/// With the home it is the dry run of a restore: what that would undo. Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/diff",
    tag = "snapshots",
    params(DiffQuery),
    responses((status = 200, body = DiffView, description = "What is different.")),
)]
pub(super) async fn diff(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    Query(query): Query<DiffQuery>,
) -> Result<Json<DiffView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let of = super::generation(&generation)?;
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("`limit` is from 1 to {MOST}");
        return Err(Trouble::new(Code::BadRequest, detail, ""));
    }
    let with = match query.against.as_deref() {
        None | Some(HOME) => Compare::Home,
        Some(other) => {
            let other = super::generation(other)?;
            Compare::Generation(app.control.generation(&row.id, other).await?.generation)
        }
    };
    let found = app.control.diff_snapshot(&row.id, of, with, limit as usize).await?;
    let changes = found.changes.into_iter().map(|(path, change)| ChangeView {
        path: String::from_utf8_lossy(&path.0).into_owned(),
        change,
    });
    Ok(Json(DiffView { changes: changes.collect(), total: found.total }))
}
