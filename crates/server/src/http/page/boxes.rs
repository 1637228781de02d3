//! `GET /boxes`: the boxes of the account, each with a way in.

use axum::extract::State;
use axum::response::Html;

use super::render;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;
use crate::models;

pub(super) async fn boxes(State(app): State<App>, who: Principal) -> Result<Html<String>, Trouble> {
    let rows = app.control.within(&(&who).into()).await?;
    let about = &app.about;
    let ready = models::ready(&*app.store, who.home(), &about.providers, &about.given).await?;
    Ok(render::boxes(&app, rows, ready.missing))
}
