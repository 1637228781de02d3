//! `GET /boxes/{name}/egress`. Wakes nothing.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use smartbox_core::time::Timestamp;

use super::{refused, rules};
use crate::app::App;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How far back it looks.
const SINCE: i64 = Duration::from_hours(7 * 24).as_millis() as i64;
/// Rows that are looked through.
const MOST: u32 = 10_000;
/// Lines of each list: a box can be refused what it likes.
const LINES: usize = 100;

#[derive(Template)]
#[template(path = "egress.html")]
struct Page {
    name: String,
    refused: Vec<refused::Line>,
    more: usize,
    rules: Vec<rules::Line>,
    went: Vec<refused::Line>,
    presets: Vec<Preset>,
}

struct Preset {
    name: String,
    description: String,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
) -> Result<Html<String>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let now = app.clock.now();
    let since = Timestamp(now.0.saturating_sub(SINCE));
    let uses = app.control.egress_uses(&row.id, since, MOST).await?;
    let counts = app.control.egress(&row.id).await?;
    let (mut refused, mut went) = refused::lines(uses, now);
    // What waits for a decision comes first; what was decided stays to be seen.
    refused.sort_by_key(|line| !line.can_allow);
    let more = refused.len().saturating_sub(LINES);
    refused.truncate(LINES);
    went.truncate(LINES);
    let presets = app.control.presets().map(|preset| Preset {
        name: preset.name.clone(),
        description: preset.description.clone(),
    });
    let presets = presets.collect();
    let rules = rules::lines(counts, now);
    Ok(render::page(&Page { name: row.name, refused, more, rules, went, presets }))
}
