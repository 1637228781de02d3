//! `POST /api/v1/boxes`: makes a box.

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::LOCATION;
use smartbox_api::problem::Code;
use smartbox_api::{paths, smartbox};
use smartbox_control::NewSmartbox;
use smartbox_core::smartbox::repository::Repository;
use smartbox_core::smartbox::{Desired, Kind};

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a box.
#[utoipa::path(
    post,
    path = "/api/v1/boxes",
    tag = "boxes",
    request_body = smartbox::NewSmartbox,
    responses((status = 201, body = smartbox::SmartboxView, description = "It is made.",
        headers(("location" = String, description = "Where it can be looked at.")))),
)]
pub(super) async fn create(
    State(app): State<App>,
    who: Principal,
    Json(new): Json<smartbox::NewSmartbox>,
) -> Result<impl IntoResponse, Trouble> {
    let desired = new.desired.unwrap_or(app.about.desired);
    let repository = new.repository.as_deref().map(|url| repository(url, desired)).transpose()?;
    let new = NewSmartbox {
        name: new.name,
        display: new.display_name.unwrap_or_default(),
        labels: new.labels,
        kind: new.kind.unwrap_or(Kind::CUSTOM),
        tier: new.tier,
        engine: new.engine,
        desired,
    };
    let row = app.control.create(&who.actor, who.account()?, new).await?;
    if let Some(repository) = repository {
        app.control.clone_repository(&who.actor, &row, repository).await?;
    }
    let location = [(LOCATION, paths::smartbox(&row.name))];
    Ok((StatusCode::CREATED, location, axum::Json(view::row(&app, row, String::new()))))
}

/// Read before there is a box that somebody would have to remove.
fn repository(url: &str, desired: Desired) -> Result<Repository, Trouble> {
    let hint = "write https://github.com/you/it.git; a token is kept by `smartbox secret set`";
    let repository =
        Repository::parse(url).map_err(|e| Trouble::new(Code::BadRequest, e.to_string(), hint))?;
    if desired == Desired::Off {
        let hint = "let it be `auto` or `on`";
        return Err(Trouble::new(Code::BadRequest, "a box that is off clones nothing", hint));
    }
    Ok(repository)
}
