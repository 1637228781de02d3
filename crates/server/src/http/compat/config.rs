//! `/api/super/users/{id}/config`: the configuration of the PA box's engine. A change is checked before
//! anything is written, and kept in the history.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smartbox_control::{How, Outcome, Terms};
use smartbox_core::config::{Applied, Revision};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::time::Timestamp;

use super::user;
use crate::app::App;
use crate::http::body;
use crate::http::principal::{self, Principal};
use crate::http::trouble::Trouble;

/// Revisions that are shown, as many as the original kept.
const SHOWN: u32 = 10;

/// What came of a change.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    success: bool,
    user_id: String,
    config: Value,
    revision: Option<u64>,
    applied: Option<Applied>,
    changed: Vec<String>,
    /// Keys that were asked for and are the platform's.
    ignored: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Back {
    /// 1 is the newest.
    version: u32,
}

pub(super) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let config = app.control.config(&pa.id).await?;
    let modified: Option<Timestamp> = config.revision.map(|revision| revision.at);
    Ok(Json(json!({
        "userId": account.id, "source": "home", "config": config.owner, "lastModified": modified,
        "platformKeys": config.platform, "unreadable": config.unreadable,
    })))
}

pub(super) async fn put(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(document): body::Json<Value>,
) -> Result<Json<Changed>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    change(&app, &who, account.id.as_str(), &pa, How::Replace(document)).await
}

pub(super) async fn patch(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(patch): body::Json<Value>,
) -> Result<Json<Changed>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    change(&app, &who, account.id.as_str(), &pa, How::Patch(patch)).await
}

/// Versions as the original counted them when it rolled back: 1 is the newest.
pub(super) async fn history(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let found = app.control.config_history(&pa.id, None, SHOWN).await?;
    let history: Vec<Value> = (1..).zip(&found).map(|(version, it)| shown(version, it)).collect();
    Ok(Json(json!({ "userId": account.id, "history": history, "count": history.len() })))
}

pub(super) async fn roll_back(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
    body::Json(back): body::Json<Back>,
) -> Result<Json<Changed>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let found = app.control.config_history(&pa.id, None, SHOWN).await?;
    let place = usize::try_from(back.version).ok().and_then(|version| version.checked_sub(1));
    let revision =
        place.and_then(|at| found.get(at)).ok_or_else(|| Trouble::missing("revision"))?;
    let how = How::Roll { back_to: revision.seq };
    change(&app, &who, account.id.as_str(), &pa, how).await
}

pub(super) async fn reload(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Value>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    principal::tell(&app, &who, &pa, "config.reload").await?;
    let applied = app.control.reload_config(&who.actor, &pa.id).await?;
    Ok(Json(json!({ "success": true, "userId": account.id, "applied": applied })))
}

async fn change(
    app: &App,
    who: &Principal,
    user: &str,
    pa: &Smartbox,
    how: How,
) -> Result<Json<Changed>, Trouble> {
    let outcome = app.control.change_config(&who.actor, &pa.id, &how, &Terms::default()).await?;
    let Outcome { revision, changes, overridden, applied, .. } = outcome;
    Ok(Json(Changed {
        success: true,
        user_id: user.to_owned(),
        config: app.control.config(&pa.id).await?.owner,
        revision,
        applied,
        changed: changes.into_iter().map(|change| change.path).collect(),
        ignored: overridden,
    }))
}

fn shown(version: u32, revision: &Revision) -> Value {
    json!({
        "version": version, "revision": revision.seq, "timestamp": revision.at,
        "actor": revision.actor, "note": revision.how, "refused": revision.refused,
    })
}
