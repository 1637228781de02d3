//! `GET` and `PUT /api/v1/boxes/{name}/files/archive`: a folder as a tar archive.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use smartbox_api::file::{ARCHIVE, FolderQuery, Unpacked};

use super::content::{SANDBOX, attachment};
use super::{path, write};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// A folder as a tar archive: its files and directories, by names relative to it.
///
/// Wakes nothing. Links and what is no file are left out. An archive that breaks off has no end mark.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/files/archive",
    tag = "files",
    params(FolderQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-tar",
        description = "The archive, as it is made.")),
)]
pub(super) async fn pack(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(_checked): Query<FolderQuery>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let path = path::of(&uri)?;
    let last = path.0.split(|byte| *byte == b'/').rfind(|name| !name.is_empty() && *name != b".");
    let file = [last.unwrap_or(row.name.as_bytes()), b".tar"].concat();
    let archive = app.control.pack(&row.id, path).await?;
    let mut response = Body::from_stream(archive.map_err(std::io::Error::other)).into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(ARCHIVE));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    out.insert(CONTENT_DISPOSITION, attachment(&file));
    Ok(response)
}

/// Unpacks a tar archive into a folder, which is made if it is not there.
///
/// Wakes nothing. Regular files and directories with relative names; an archive with anything else
/// is refused when that comes. Each file is written whole or not at all and replaces what is there;
/// files that came before an archive broke off stay.
#[utoipa::path(
    put,
    path = "/api/v1/boxes/{name}/files/archive",
    tag = "files",
    params(FolderQuery),
    request_body(content = Vec<u8>, content_type = "application/x-tar"),
    responses((status = 200, body = Unpacked, description = "All of it is there.")),
)]
pub(super) async fn unpack(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(_checked): Query<FolderQuery>,
    request: Request,
) -> Result<Json<Unpacked>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let arriving = write::body(request);
    let done = app.control.unpack(&who.actor, &row.id, path::of(&uri)?, arriving).await?;
    let smartbox_control::Unpacked { files, directories, bytes, .. } = done;
    Ok(Json(Unpacked { files, directories, bytes }))
}
