//! `GET /api/v1/boxes/{name}/files` lists a directory, `…/files/stat` looks at one thing.

use axum::Json;
use axum::extract::{Path, State};
use http::Uri;
use smartbox_api::file::{FileQuery, FileView, FilesQuery};
use smartbox_api::page::{Page, PageQuery};

use super::{path, view};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Short, since a cursor has a bound and a name may have 255 bytes.
const LIST: &str = "f";

/// What a directory of the box's home holds, by name.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/files",
    tag = "files",
    params(FilesQuery),
    responses((status = 200, body = Page<FileView>, description = "A page of its entries.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(query): Query<FilesQuery>,
) -> Result<Json<Page<FileView>>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let which = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, after) = which.read(LIST)?;
    let after = after.map(|key| unkey(&key)).transpose()?;
    // One more than asked for says whether there is more.
    let found = app.control.files(&row.id, path::of(&uri)?, after, limit + 1).await?;
    let keyed = found.entries.into_iter().map(|entry| (key(&entry.name), view::view(&entry)));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key);
    Ok(Json(page.map(|(_, view)| view)))
}

/// What is known of a file, a directory or a link (itself, not what it leads to).
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/files/stat",
    tag = "files",
    params(FileQuery),
    responses((status = 200, body = FileView, description = "It is there.")),
)]
pub(super) async fn stat(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    uri: Uri,
    Query(_checked): Query<FileQuery>,
) -> Result<Json<FileView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let entry = app.control.file(&row.id, path::of(&uri)?).await?;
    Ok(Json(view::view(&entry)))
}

/// A name as the key of a cursor, which is text.
pub(in crate::http) fn key(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => format!("t{text}"),
        Err(_) => format!("x{}", hex::encode(name)),
    }
}

pub(in crate::http) fn unkey(key: &str) -> Result<Vec<u8>, Trouble> {
    let name = match key.split_at_checked(1) {
        Some(("t", text)) => Some(text.as_bytes().to_vec()),
        Some(("x", digits)) => hex::decode(digits).ok(),
        _ => None,
    };
    name.ok_or_else(|| smartbox_api::page::BadPage::Cursor.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_key() {
        for name in [&b"plain"[..], b"x\xff", b"new\nline", &[0xfe; 255], &[b'n'; 255]] {
            assert_eq!(unkey(&key(name)).unwrap(), name);
            // The longest fits into a cursor, too.
            let two = [(key(name), ()), (key(b"z"), ())];
            let page = Page::of(two, LIST, 1, |(key, ())| key);
            let next = PageQuery { limit: None, cursor: page.next };
            assert_eq!(next.read(LIST).unwrap().1, Some(key(name)));
        }
        assert!(unkey("").is_err() && unkey("y").is_err() && unkey("xz").is_err());
    }
}
