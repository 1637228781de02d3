//! Forms that give somebody a way in: a browser that has a key signs the very press of the button. It is asked
//! when it presses, by a page that has the form in it and sends it again, so that the pages themselves need
//! no script and may be open for as long as they like.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Shown, Sign, shown};
use crate::app::App;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Template)]
#[template(path = "sign.html")]
struct Page<'a> {
    sign: Sign,
    path: &'a str,
    fields: Vec<(String, String)>,
}

/// `None` once this press was signed, or if nothing is there to sign it with; otherwise the page that has it
/// signed. What the form says is not acted upon before.
pub(in crate::http::page) async fn unsigned(
    app: &App,
    parts: &Parts,
    who: &Principal,
    form: &impl Serialize,
    proof: &str,
) -> Result<Option<Response>, Trouble> {
    let Some(browser) = who.browser().filter(|browser| browser.is_keyed()) else {
        return Ok(None);
    };
    let fields = fields(form);
    let said = said(&fields);
    if !proof.is_empty() {
        match shown(app, parts, browser, proof, &said).await? {
            Shown::In(_) => return Ok(None),
            Shown::Again | Shown::Asks { .. } => {}
        }
    }
    let sign = Sign::with(app, &browser.seat, said)?;
    let page = Page { sign, path: parts.uri.path(), fields };
    Ok(Some(render::page(&page).into_response()))
}

/// What a form says, as it was sent.
fn fields(form: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(all)) = serde_json::to_value(form) else { return Vec::new() };
    let text = |(name, value)| match value {
        Value::String(value) => Some((name, value)),
        _ => None,
    };
    all.into_iter().filter_map(text).collect()
}

/// By what a form is told from another one.
fn said(fields: &[(String, String)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    hex::encode(Sha256::digest(text.extend_pairs(fields).finish()))
}
