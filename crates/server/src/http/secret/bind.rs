//! `PUT /api/v1/secrets/{name}/bindings`: says where a secret may go by placeholder.

use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::problem::Code;
use smartbox_api::secret::{NewBinding, SecretQuery};
use smartbox_core::egress::{Bound, Shape};

use super::{bound, scope};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Says where a secret may go. Boxes then hold a placeholder under its name, and the value is put in
/// on the way to those hosts, in those places, and nowhere else. It replaces how it was bound.
#[utoipa::path(
    put,
    path = "/api/v1/secrets/{name}/bindings",
    tag = "secrets",
    request_body = NewBinding,
    responses((status = 204, description = "It is bound.")),
)]
pub(super) async fn bind(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Json(new): Json<NewBinding>,
) -> Result<StatusCode, Trouble> {
    let of = SecretQuery { smartbox: new.smartbox.clone(), platform: false };
    let (scope, account) = scope(&app, &who, &of).await?;
    let wanted = wanted(&app, &name, new)?;
    app.control.bind_secret(&who.actor, &account, (scope, name), wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn wanted(app: &App, name: &str, new: NewBinding) -> Result<Bound, Trouble> {
    let mut wanted = match new.service.as_deref() {
        None => Bound { shape: Shape::default(), bindings: Vec::new() },
        Some(service) => {
            let found = app.control.services().find(|one| one.name == service);
            let found = found.ok_or_else(|| {
                let names: Vec<&str> =
                    app.control.services().map(|one| one.name.as_str()).collect();
                let hint = format!("the services are: {}", names.join(", "));
                Trouble::new(Code::BadRequest, "that is no service that is known", hint)
            })?;
            found.bound(name)
        }
    };
    if let Some(shape) = new.shape {
        let hint = "write plain, github, or a text like sbx_{a32}";
        wanted.shape = Shape::parse(&shape)
            .map_err(|e| Trouble::new(Code::BadRequest, e.to_string(), hint))?;
    }
    for to in new.to {
        wanted.bindings.push(bound::read(name, to)?);
    }
    Ok(wanted)
}
