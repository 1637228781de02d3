//! `POST /api/v1/boxes/{name}/files/mkdir` and `…/rename`.

use axum::extract::{Path, State};
use smartbox_api::file::{FileView, NewDirectory, Rename};
use smartbox_control::ControlError;
use smartbox_core::home::port::FileError;
use smartbox_core::home::{FileChange, FilePath};

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a directory.
///
/// Wakes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/files/mkdir",
    operation_id = "mkdir",
    tag = "files",
    request_body = NewDirectory,
    responses((status = 200, body = FileView, description = "It is there.")),
)]
pub(super) async fn directory(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(new): Json<NewDirectory>,
) -> Result<axum::Json<FileView>, Trouble> {
    let change = FileChange::MakeDirectory { parents: new.parents };
    changed(&app, &who, &name, new.path.as_str().into(), change).await
}

/// Gives a file or directory another name within the home.
///
/// Wakes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/files/rename",
    tag = "files",
    request_body = Rename,
    responses((status = 200, body = FileView, description = "It has the new name.")),
)]
pub(super) async fn rename(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(rename): Json<Rename>,
) -> Result<axum::Json<FileView>, Trouble> {
    let change = FileChange::Rename { to: rename.to.as_str().into(), replace: rename.replace };
    changed(&app, &who, &name, rename.from.as_str().into(), change).await
}

async fn changed(
    app: &App,
    who: &Principal,
    name: &str,
    path: FilePath,
    change: FileChange,
) -> Result<axum::Json<FileView>, Trouble> {
    let row = app.control.find(who, name).await?;
    let entry = app.control.change_file(&who.actor, &row.id, path, change).await?;
    // Nothing but a removal leaves nothing.
    let entry = entry.ok_or(ControlError::File(FileError::Absent))?;
    Ok(axum::Json(view::view(&entry)))
}
