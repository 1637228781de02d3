//! `GET /device`: asks for the code. A code in the address stands in the field, and is not looked up yet.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;
use smartbox_core::device::code;

use super::{Done, Line};
use crate::app::App;
use crate::http::body::Query;
use crate::http::page::admin::on_behalf;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Template)]
#[template(path = "device.html")]
pub(super) struct Page {
    pub(super) done: Option<&'static str>,
    pub(super) wrong: Option<&'static str>,
    /// The code that stands in the field, if it is one.
    pub(super) code: String,
    /// The account that an operator looks after; empty if it is their own.
    pub(super) account: String,
    pub(super) line: Option<Line>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    code: Option<String>,
    account: Option<String>,
    done: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Trouble> {
    let (who, account) = on_behalf(&app, who, asked.account.as_deref()).await?;
    who.account()?;
    let code = asked.code.as_deref().and_then(code::typed);
    Ok(render::page(&Page {
        done: asked.done.as_deref().and_then(Done::said),
        wrong: None,
        code: code.map(|code| code::shown(&code)).unwrap_or_default(),
        account: account.unwrap_or_default(),
        line: None,
    }))
}
