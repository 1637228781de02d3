//! `GET /boxes`: the boxes of the account, each with a way in.

use axum::extract::State;
use axum::response::Html;
use smartbox_core::person::Right;

use super::render;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;
use crate::models;

pub(super) async fn boxes(State(app): State<App>, who: Principal) -> Result<Html<String>, Trouble> {
    let rows = app.control.within(&(&who).into()).await?;
    let about = &app.about;
    let ready = models::ready(&*app.store, who.home(), &about.providers, &about.given).await?;
    Ok(render::boxes(&app, rows, ready.missing, waiting(&app, &who).await?))
}

/// How many devices wait for whoever looks; `None` for who does not decide about any.
async fn waiting(app: &App, who: &Principal) -> Result<Option<usize>, Trouble> {
    if !who.may(Right::Manage) {
        return Ok(None);
    }
    let now = app.clock.now();
    let devices = app.access.devices(who.home()).await?;
    Ok(Some(devices.iter().filter(|device| device.waits(now)).count()))
}
