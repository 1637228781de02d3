//! Moving boxes in and out: `GET /api/v1/boxes/{name}/export` and `POST /api/v1/imports`, also from a
//! bucket.

mod bucket;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use smartbox_api::moves::{EXPORT, ImportQuery, Imported};
use smartbox_api::problem::Code;
use smartbox_control::{NewImport, Source};
use smartbox_core::home::FilePath;
use smartbox_core::person::Right;
use smartbox_core::smartbox::{Desired, Kind};
use smartbox_core::snapshot::port::Form;
use smartbox_core::snapshot::record::Why;

use super::body::Query;
use super::file::{SANDBOX, arriving, attachment};
use super::principal::Principal;
use super::route::{Limit, Policy, Route, SMALL, routes};
use super::smartbox::whole;
use super::trouble::Trouble;
use crate::app::App;

const OUT: &[Code] = &[Code::NotFound, Code::Storage, Code::Conflict, Code::Refused];
const IN: &[Code] = &[Code::BadName, Code::Exists, Code::Refused];

const FROM_BUCKET: &[Code] = &[Code::BadName, Code::Exists, Code::Refused, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(export), Policy::Api(Right::Own), SMALL, OUT),
        Route::api(routes!(import), Policy::Api(Right::Manage), Limit::Stream, IN),
        Route::api(routes!(bucket::import), Policy::Operator(Right::Own), SMALL, FROM_BUCKET),
    ]
}

/// Everything of a box in one archive: its record, its history and its home.
///
/// A snapshot is taken for it first. Secrets of the platform are not in it; what the assistant keeps in
/// its home is. A reply that breaks off is no archive, and an import refuses it.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/export",
    tag = "moves",
    responses((status = 200, body = Vec<u8>, content_type = "application/zstd",
        description = "A tar archive, compressed, as it is made.")),
)]
async fn export(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let taken = app.control.take_snapshot(&row.id, Why::Asked, None).await?;
    let of = taken.map(|record| record.generation);
    let home =
        app.control.read_snapshot(&who.actor, &row.id, of, FilePath::default(), Form::Tar).await?;
    let archive = app.control.export(&who.actor, &row.id, home).await?;
    let mut response = Body::from_stream(archive).into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(EXPORT));
    out.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    let file = format!("{}.smartbox", row.name);
    out.insert(CONTENT_DISPOSITION, attachment(file.as_bytes()));
    Ok(response)
}

/// Makes a box of an archive, or of an assistant that lived elsewhere: all of it or nothing.
///
/// The body is a tar archive, by itself or compressed with gzip or zstd: one of `export`, one of
/// `openclaw backup`, a home or state directory, or a copy of a bucket of the original platform. What
/// it is, is found out. The new box is turned off.
#[utoipa::path(
    post,
    path = "/api/v1/imports",
    tag = "moves",
    params(ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Imported, description = "The box, and what came along.")),
)]
async fn import(
    State(app): State<App>,
    who: Principal,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<(StatusCode, Json<Imported>), Trouble> {
    let new = NewImport {
        name: query.name,
        kind: kind(query.kind)?,
        tier: None,
        engine: None,
        desired: Desired::Off,
        within: query.within.unwrap_or_default(),
        source: Source::Archive(arriving(request)),
    };
    move_in(&app, &who, new).await
}

fn kind(named: Option<String>) -> Result<Option<Kind>, Trouble> {
    named
        .map(Kind::try_from)
        .transpose()
        .map_err(|e| Trouble::new(Code::BadRequest, e.to_string(), "`smartbox kind ls` lists them"))
}

async fn move_in(
    app: &App,
    who: &Principal,
    new: NewImport,
) -> Result<(StatusCode, Json<Imported>), Trouble> {
    let done = app.control.import(&who.actor, who.account()?, new).await?;
    if let Err(error) = app.control.take_snapshot(&done.row.id, Why::Import, None).await {
        // It is there; the first snapshot is taken before anything happens to it.
        tracing::warn!(smartbox = %done.row.id, %error, "no snapshot of what was moved in");
    }
    let mut warnings = done.warnings;
    warnings.extend(done.credentials.into_iter().map(|what| {
        format!("{what} came along in the home; the vault is a better place: `smartbox secret set`")
    }));
    let imported = Imported {
        smartbox: whole(app, app.control.view(&done.row.id).await?),
        layout: done.origin.to_string(),
        files: done.files,
        bytes: done.bytes,
        messages: done.messages,
        left_out: done
            .left_out
            .into_iter()
            .map(|one| format!("{}: {}", one.path, one.why))
            .collect(),
        left_out_total: done.left_out_total,
        warnings,
    };
    Ok((StatusCode::CREATED, Json(imported)))
}
