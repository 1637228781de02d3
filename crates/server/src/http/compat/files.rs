//! `/api/super/users/{id}/files`: the files of the PA box's home, awake or asleep, by the names that the
//! original gave them. A path may begin with `/root` or `/home/box`, which both mean the home.

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_api::problem::Code;
use smartbox_control::{FileDone, FileOp};
use smartbox_core::home::{FileChange, FileEntry, FileKind, FilePath, Precondition, WriteOrder};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::HOME_DIR;

use super::user;
use crate::app::App;
use crate::http::body::{self, Query};
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Entries of a directory that are shown; `/api/v1` has them all, in pages.
const SHOWN: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Where {
    path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    content: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    operations: Vec<Operation>,
    /// Understood; operations are done one after another.
    #[serde(default, rename = "parallel")]
    _parallel: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: Op,
    path: String,
    #[serde(default)]
    content: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Read,
    Write,
    Delete,
    Exists,
}

pub(super) async fn list(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(at): Query<Where>,
) -> Result<Json<Value>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    directory(&app, &pa.id, &at.path).await
}

/// A file's text, a directory's entries, or with `/exists` behind the path whether it is there.
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path((id, path)): Path<(String, String)>,
) -> Result<Json<Value>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    if let Some(path) = path.strip_suffix("/exists") {
        let done = one(&app, &who, &pa.id, FileOp::Exists(within(path))).await?;
        return Ok(Json(json!({ "exists": matches!(done, FileDone::Exists(true)) })));
    }
    match app.control.file(&pa.id, within(&path)).await?.kind {
        FileKind::Directory => directory(&app, &pa.id, &path).await,
        _ => Ok(Json(shown(&path, one(&app, &who, &pa.id, FileOp::Read(within(&path))).await?))),
    }
}

pub(super) async fn put(
    State(app): State<App>,
    who: Principal,
    Path((id, path)): Path<(String, String)>,
    body::Json(new): body::Json<Content>,
) -> Result<Json<Value>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    let done = one(&app, &who, &pa.id, write(&path, new.content)).await?;
    Ok(Json(shown(&path, done)))
}

pub(super) async fn delete(
    State(app): State<App>,
    who: Principal,
    Path((id, path)): Path<(String, String)>,
) -> Result<Json<Value>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    let done = one(&app, &who, &pa.id, remove(&path)).await?;
    Ok(Json(shown(&path, done)))
}

pub(super) async fn batch(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(batch): body::Json<Batch>,
) -> Result<Json<Value>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    let mut told = Vec::new();
    let mut ops = Vec::new();
    for Operation { op, path, content } in batch.operations {
        ops.push(match op {
            Op::Read => FileOp::Read(within(&path)),
            Op::Write => write(&path, content.ok_or_else(no_content)?),
            Op::Delete => remove(&path),
            Op::Exists => FileOp::Exists(within(&path)),
        });
        told.push((op, path));
    }
    let done = app.control.batch(&who.actor, &pa.id, ops).await?;
    let succeeded = done.iter().filter(|result| result.is_ok()).count();
    let failed = done.len() - succeeded;
    let results: Vec<Value> = told
        .into_iter()
        .zip(done)
        .map(|((op, path), done)| {
            let mut result = match done {
                Ok(done) => shown(&path, done),
                Err(error) => json!({ "path": path, "error": error.to_string() }),
            };
            result["op"] = json!(op);
            result
        })
        .collect();
    let completed = results.len();
    Ok(Json(json!({
        "completed": completed, "succeeded": succeeded, "failed": failed, "results": results,
        "parallel": false,
    })))
}

/// Where in the home: the original's paths begin with a slash, and some with its home.
fn within(path: &str) -> FilePath {
    let path = path.trim_start_matches('/');
    let homes = [HOME_DIR.trim_start_matches('/'), "root"];
    let rest = homes.iter().find_map(|home| match path.strip_prefix(home)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    });
    FilePath::from(rest.unwrap_or(path))
}

fn write(path: &str, content: String) -> FileOp {
    let order = WriteOrder { mode: None, parents: true, condition: Precondition::Any };
    FileOp::Write(within(path), order, Bytes::from(content))
}

fn remove(path: &str) -> FileOp {
    let (recursive, condition) = (false, Precondition::Any);
    FileOp::Change(within(path), FileChange::Remove { recursive, condition })
}

async fn one(app: &App, who: &Principal, id: &SmartboxId, op: FileOp) -> Result<FileDone, Trouble> {
    let done = app.control.batch(&who.actor, id, vec![op]).await?.pop();
    let done = done.ok_or_else(|| Trouble::missing("file"))?;
    Ok(done?)
}

async fn directory(app: &App, id: &SmartboxId, path: &str) -> Result<Json<Value>, Trouble> {
    let page = app.control.files(id, within(path), None, SHOWN).await?;
    let files: Vec<Value> = page.entries.iter().map(entry).collect();
    Ok(Json(json!({
        "path": path, "files": files, "count": page.entries.len(), "truncated": page.next.is_some(),
    })))
}

fn shown(path: &str, done: FileDone) -> Value {
    match done {
        FileDone::Entry(file) => json!({ "path": path, "success": true, "file": entry(&file) }),
        FileDone::Exists(exists) => json!({ "path": path, "exists": exists }),
        FileDone::Removed => json!({ "path": path, "success": true, "exists": false }),
        FileDone::Content(file, bytes) => json!({
            "path": path, "source": "home", "file": entry(&file),
            "content": String::from_utf8_lossy(&bytes),
        }),
    }
}

fn entry(file: &FileEntry) -> Value {
    let kind = match file.kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::Other => "other",
    };
    let name = String::from_utf8_lossy(&file.name);
    json!({ "name": name, "type": kind, "size": file.size, "modified": file.modified })
}

fn no_content() -> Trouble {
    Trouble::new(Code::BadRequest, "a write has no content", "give it as `content`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_homes_are_the_home_and_nothing_else_is() {
        for (path, inside) in [
            ("/root/a/b", "a/b"),
            ("root", ""),
            ("/home/box/.openclaw/openclaw.json", ".openclaw/openclaw.json"),
            ("a", "a"),
            ("/rooted/a", "rooted/a"),
            ("/etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(within(path), FilePath::from(inside), "{path}");
        }
    }
}
