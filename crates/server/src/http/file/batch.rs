//! `POST /api/v1/boxes/{name}/files/batch`: several operations, each with a result of its own.

use axum::extract::{Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use smartbox_api::file::{FileBatch, FileOperation, FileResult, FileResults};
use smartbox_api::problem::Code;
use smartbox_control::{ControlError, FileDone, FileOp};
use smartbox_core::home::{FileChange, Precondition, WriteOrder};

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Does up to 50 operations, one after the other; each has a result of its own.
///
/// Wakes nothing. What fails does not end the rest.
#[utoipa::path(
    post,
    path = "/api/v1/boxes/{name}/files/batch",
    tag = "files",
    request_body = FileBatch,
    responses((status = 200, body = FileResults, description = "One result an operation.")),
)]
pub(super) async fn batch(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(batch): Json<FileBatch>,
) -> Result<axum::Json<FileResults>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let ops = batch.operations.into_iter().map(op).collect::<Result<_, _>>()?;
    let done = app.control.batch(&who.actor, &row.id, ops).await?;
    Ok(axum::Json(FileResults { results: done.into_iter().map(result).collect() }))
}

fn op(operation: FileOperation) -> Result<FileOp, Trouble> {
    let path = |path: String| path.as_str().into();
    Ok(match operation {
        FileOperation::Read { path: at } => FileOp::Read(path(at)),
        FileOperation::Stat { path: at } => FileOp::Look(path(at)),
        FileOperation::Exists { path: at } => FileOp::Exists(path(at)),
        FileOperation::Write { path: at, content, content_base64, mode } => {
            let order = WriteOrder {
                mode: view::mode(mode.as_deref())?,
                parents: true,
                condition: Precondition::Any,
            };
            FileOp::Write(path(at), order, bytes(content, content_base64)?)
        }
        FileOperation::Mkdir { path: at } => {
            FileOp::Change(path(at), FileChange::MakeDirectory { parents: true })
        }
        FileOperation::Delete { path: at, recursive } => {
            let condition = Precondition::Any;
            FileOp::Change(path(at), FileChange::Remove { recursive, condition })
        }
    })
}

fn bytes(text: Option<String>, base64: Option<String>) -> Result<Bytes, Trouble> {
    let bad = |what: &str| Trouble::new(Code::BadRequest, what, "");
    match (text, base64) {
        (Some(text), None) => Ok(text.into()),
        (None, Some(text)) => {
            let bytes = STANDARD.decode(text);
            bytes.map(Bytes::from).map_err(|_| bad("`content_base64` is not base64"))
        }
        _ => Err(bad("a write has either `content` or `content_base64`")),
    }
}

fn result(done: Result<FileDone, ControlError>) -> FileResult {
    let nothing = FileResult::default();
    match done {
        Ok(FileDone::Entry(entry)) => FileResult { file: Some(view::view(&entry)), ..nothing },
        Ok(FileDone::Exists(exists)) => FileResult { exists: Some(exists), ..nothing },
        Ok(FileDone::Removed) => FileResult { exists: Some(false), ..nothing },
        Ok(FileDone::Content(entry, bytes)) => {
            let file = Some(view::view(&entry));
            match String::from_utf8(bytes.into()) {
                Ok(text) => FileResult { file, content: Some(text), ..nothing },
                Err(bytes) => {
                    let text = STANDARD.encode(bytes.as_bytes());
                    FileResult { file, content_base64: Some(text), ..nothing }
                }
            }
        }
        Err(error) => FileResult { problem: Some(Trouble::from(error).into_problem()), ..nothing },
    }
}
