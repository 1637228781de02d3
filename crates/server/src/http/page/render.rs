//! The templates and what they are given.

use askama::Template;
use axum::response::Html;
use http::request::Parts;
use smartbox_api::problem::{Code, Problem};
use smartbox_core::smartbox::{Smartbox, State};

use super::browser::Sign;
use super::{filters, words};
use crate::app::App;
use crate::http::principal::{self, Principal};
use crate::http::trouble;

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignIn<'a> {
    next: &'a str,
    wrong: Option<&'a str>,
    /// What is wrong with the ways to sign in, for whoever runs the platform.
    notes: &'a [String],
    provider: Option<&'a str>,
    /// A button is enough, by `DEV_MODE`.
    dev: bool,
}

#[derive(Template)]
#[template(path = "boxes.html")]
struct Boxes {
    rows: Vec<Row>,
    missing: Vec<String>,
    devices: Option<usize>,
}

/// One line of the list.
struct Row {
    label: String,
    name: String,
    kind: String,
    state: &'static str,
    url: String,
    note: String,
}

#[derive(Template)]
#[template(path = "open.html")]
struct Open<'a> {
    label: &'a str,
    name: &'a str,
    /// What a browser is to sign that has a key.
    sign: Option<Sign>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Trouble<'a> {
    problem: &'a Problem,
    detail: String,
    hint: String,
    /// Where the platform begins.
    start: String,
    /// Where the session is what is in the way: its end is a button.
    signs_out: bool,
}

pub(super) fn sign_in(app: &App, parts: &Parts, next: &str, wrong: Option<&str>) -> Html<String> {
    let next = super::own_path(next);
    let notes = if next.starts_with("/_admin/") { app.sign_in.notes.as_slice() } else { &[] };
    let provider = app.sign_in.provider.as_ref().map(|provider| provider.name.as_str());
    let dev = app.dev && principal::comes_from_here(parts);
    page(&SignIn { next, wrong, notes, provider, dev })
}

/// The list; `devices` is how many wait, for whoever may decide about them.
pub(super) fn boxes(
    app: &App,
    rows: Vec<Smartbox>,
    missing: Vec<String>,
    devices: Option<usize>,
) -> Html<String> {
    let rows = rows
        .into_iter()
        .map(|row| Row {
            url: app.site.box_origin(&row.label),
            kind: row.kind.to_string(),
            state: state(&row),
            note: row.failure.map(|failure| failure.message).unwrap_or_default(),
            label: row.label,
            name: row.name,
        })
        .collect();
    page(&Boxes { rows, missing, devices })
}

fn state(row: &Smartbox) -> &'static str {
    match row.state {
        State::Stopped | State::Frozen if row.asleep() => "asleep",
        state => state.as_str(),
    }
}

pub(super) fn open(
    app: &App,
    who: &Principal,
    row: &Smartbox,
) -> Result<Html<String>, trouble::Trouble> {
    let keyed = who.browser().filter(|browser| browser.is_keyed());
    let sign = keyed.map(|browser| Sign::of(app, &browser.seat)).transpose()?;
    Ok(page(&Open { label: &row.label, name: &row.name, sign }))
}

pub(super) fn problem(app: &App, problem: &Problem) -> String {
    let known = problem.known();
    let detail = match known {
        // It begins with a smartbox's name.
        Some(Code::Off) => problem.detail.clone(),
        _ => words::sentence(&problem.detail),
    };
    let signs_out = known == Some(Code::Unproven);
    // On a host that is not ours the same path would lead to the same page.
    let start = match known {
        Some(Code::WrongHost) => app.site.origin() + "/",
        _ => "/".to_owned(),
    };
    let hint = words::sentence(&problem.hint);
    page(&Trouble { problem, detail, hint, start, signs_out }).0
}

pub(super) fn page(template: &impl Template) -> Html<String> {
    // Rendering into a string fails only if a value's own formatting does, and ours do not.
    Html(template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be rendered");
        String::new()
    }))
}
