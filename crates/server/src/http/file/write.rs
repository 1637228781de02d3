//! `PUT /api/v1/boxes/{name}/files/content`: writes a file as its bytes come, whole or not at all.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt};
use http::header::{CONTENT_LENGTH, ETAG};
use http::{HeaderMap, Uri};
use smartbox_api::file::{FileWritten, WriteQuery, digest_of};
use smartbox_api::problem::Code;
use smartbox_control::{Arriving, Upload};
use smartbox_core::home::WriteOrder;

use super::{path, view};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Writes a file, whole or not at all.
///
/// Wakes nothing. With `Repr-Digest` or `Content-Digest` (sha-256) other bytes are refused.
/// `If-Match` and `If-None-Match: *` are heeded. A file that is there keeps its mode.
#[utoipa::path(
    put,
    path = "/api/v1/boxes/{name}/files/content",
    tag = "files",
    params(WriteQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = FileWritten, description = "It is written, down to the disk.",
        headers(("etag" = String, description = "Its entity tag.")))),
)]
pub(super) async fn write(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(query): Query<WriteQuery>,
    request: Request,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let headers = request.headers();
    let upload = Upload {
        order: WriteOrder {
            mode: view::mode(query.mode.as_deref())?,
            parents: query.parents,
            condition: view::condition(headers)?,
        },
        len: length(headers),
        digest: digest(headers)?,
        body: body(request),
    };
    let written = app.control.write_file(&who.actor, &row.id, path::of(&uri)?, upload).await?;
    let tag = (ETAG, view::etag(&written.entry));
    let done =
        FileWritten { file: view::view(&written.entry), sha256: hex::encode(written.digest) };
    Ok(([tag], Json(done)).into_response())
}

/// A request's bytes as they come.
pub(in crate::http) fn body(request: Request) -> Arriving {
    request.into_body().into_data_stream().map_err(std::io::Error::other).boxed()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn digest(headers: &HeaderMap) -> Result<Option<[u8; 32]>, Trouble> {
    let mut found = None;
    for value in ["repr-digest", "content-digest"].into_iter().filter_map(|n| headers.get(n)) {
        let digest = value.to_str().ok().and_then(digest_of).ok_or_else(|| {
            let hint = "write it as `Repr-Digest: sha-256=:<base64>:`";
            Trouble::new(Code::BadRequest, "the digest is not understood", hint)
        })?;
        if found.replace(digest).is_some_and(|other| other != digest) {
            return Err(Trouble::new(Code::BadRequest, "two digests do not agree", ""));
        }
    }
    Ok(found)
}
