//! `GET /api/v1/boxes/{name}/snapshots/{generation}/content` and `…/archive`: bytes out of a snapshot.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Uri};
use smartbox_api::file::{ARCHIVE, CONTENT, FileQuery, FolderQuery};
use smartbox_core::home::FilePath;
use smartbox_core::snapshot::port::Form;

use crate::app::App;
use crate::http::body::Query;
use crate::http::file::{SANDBOX, attachment, path};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The bytes of a file in a snapshot, always as a download.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/content",
    tag = "snapshots",
    params(FileQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream",
        description = "The whole file. A reply that breaks off is not whole.")),
)]
pub(super) async fn content(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    uri: Uri,
    Query(_checked): Query<FileQuery>,
) -> Result<Response, Trouble> {
    send(&app, &who, (&name, &generation), path::of(&uri)?, Form::File).await
}

/// Something in a snapshot with everything in it, as a tar archive.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/snapshots/{generation}/archive",
    tag = "snapshots",
    params(FolderQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-tar",
        description = "The archive, as it is made. One that breaks off has no end mark.")),
)]
pub(super) async fn archive(
    State(app): State<App>,
    who: Principal,
    Path((name, generation)): Path<(String, String)>,
    uri: Uri,
    Query(_checked): Query<FolderQuery>,
) -> Result<Response, Trouble> {
    send(&app, &who, (&name, &generation), path::of(&uri)?, Form::Tar).await
}

async fn send(
    app: &App,
    who: &Principal,
    (name, generation): (&str, &str),
    path: FilePath,
    form: Form,
) -> Result<Response, Trouble> {
    let row = app.control.find(who, name).await?;
    let of = super::generation(generation)?;
    let last = path.0.split(|byte| *byte == b'/').rfind(|part| !part.is_empty() && *part != b".");
    let last = last.unwrap_or(row.name.as_bytes()).to_vec();
    let (file, media) = match form {
        Form::File => (last, CONTENT),
        Form::Tar => ([&last, &b".tar"[..]].concat(), ARCHIVE),
    };
    let bytes = app.control.read_snapshot(&who.actor, &row.id, of, path, form).await?;
    let mut response = Body::from_stream(bytes.map_err(std::io::Error::other)).into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    out.insert(CONTENT_DISPOSITION, attachment(&file));
    Ok(response)
}
