//! The original's calls about backups: `r2-status`, `r2-health`, `sync-async`, and of one's own PA box
//! `/api/admin/storage`. A backup is a snapshot. Times are milliseconds since 1970.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_control::{ArchiveView, SnapshotJob};
use smartbox_core::secret::Scope;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::snapshot::record::Record;
use smartbox_core::store;
use smartbox_core::time::Timestamp;

use super::user;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const MINUTE: u128 = 60_000;

/// `r2-status`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    /// `snapshot`, where the original had `tar` and two older ones; `none` if there is none.
    backup_format: &'static str,
    has_backup: bool,
    backup: Option<Backup>,
    last_sync: Option<Timestamp>,
    sync_id: Option<String>,
    minutes_since_sync: Option<u64>,
    secrets: Vec<String>,
    healthy: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    size_bytes: u64,
    #[serde(rename = "sizeMB")]
    size_mb: u64,
    uploaded: Timestamp,
}

/// `r2-health`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    healthy: bool,
    last_sync: Option<Timestamp>,
    minutes_since_sync: Option<u64>,
    /// Minutes; where the original always had five, it is the box's objective.
    threshold: u64,
}

/// `sync-async`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Syncing {
    success: bool,
    message: &'static str,
    check_status_at: String,
}

/// `/api/admin/storage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storage {
    configured: bool,
    last_sync: Option<Timestamp>,
    backup_info: Vec<BackupInfo>,
    message: String,
}

#[derive(Serialize)]
struct BackupInfo {
    key: String,
    size: u64,
    uploaded: Timestamp,
}

/// `/api/admin/storage/sync`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Synced {
    success: bool,
    message: &'static str,
    last_sync: Option<Timestamp>,
    check_status_at: String,
}

/// When everything was last known to be in a backup, and how many minutes ago that was.
fn last(app: &App, found: &ArchiveView) -> (Option<Timestamp>, Option<u64>) {
    let last = found.fresh.or(found.generations.last().map(|newest| newest.taken));
    let minutes = last.map(|at| app.clock.now().since(at).as_millis() / MINUTE);
    (last, minutes.and_then(|n| u64::try_from(n).ok()))
}

fn healthy(found: &ArchiveView) -> bool {
    !found.generations.is_empty() && !found.late && found.archive.trouble.is_none()
}

pub(super) async fn status(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Status>, Trouble> {
    let (account, pa) = user::pa(&app, &id).await?;
    let found = app.control.archive(&pa.id).await?;
    let scope = Scope::Account(account.id);
    let kept =
        store::read(&*app.store, |tx| Box::pin(async move { tx.secrets().list(scope).await }))
            .await?;
    let newest = found.generations.last();
    let (last_sync, minutes_since_sync) = last(&app, &found);
    Ok(Json(Status {
        backup_format: newest.map_or("none", |_| "snapshot"),
        has_backup: newest.is_some(),
        backup: newest.map(backup),
        last_sync,
        sync_id: newest.map(|one| one.snapshot.to_string()),
        minutes_since_sync,
        secrets: kept.into_iter().map(|info| info.name).collect(),
        healthy: healthy(&found),
    }))
}

fn backup(one: &Record) -> Backup {
    Backup { size_bytes: one.bytes, size_mb: one.bytes >> 20, uploaded: one.taken }
}

pub(super) async fn health(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Health>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    let found = app.control.archive(&pa.id).await?;
    let (last_sync, minutes_since_sync) = last(&app, &found);
    let threshold = u64::try_from(found.objective.as_millis().div_ceil(MINUTE)).unwrap_or(u64::MAX);
    Ok(Json(Health { healthy: healthy(&found), last_sync, minutes_since_sync, threshold }))
}

pub(super) async fn sync(
    State(app): State<App>,
    who: Principal,
    Path(id): Path<String>,
) -> Result<Json<Syncing>, Trouble> {
    let (_, pa) = user::pa(&app, &id).await?;
    let check_status_at = begin(&app, &who, &pa).await?;
    Ok(Json(Syncing { success: true, message: "a snapshot is being taken", check_status_at }))
}

/// Of the asker's own PA box.
pub(super) async fn storage(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<Storage>, Trouble> {
    let (_, pa) = user::pa(&app, who.account()?.as_str()).await?;
    let found = app.control.archive(&pa.id).await?;
    let (last_sync, _) = last(&app, &found);
    let info = |one: &Record| BackupInfo {
        key: format!("generation {}", one.generation.0),
        size: one.bytes,
        uploaded: one.taken,
    };
    Ok(Json(Storage {
        // There is always one: a directory, if no bucket was named.
        configured: true,
        last_sync,
        backup_info: found.generations.iter().rev().take(20).map(info).collect(),
        message: format!("snapshots are kept in {}", app.control.snapshot_storage()),
    }))
}

pub(super) async fn sync_storage(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<Synced>, Trouble> {
    let (_, pa) = user::pa(&app, who.account()?.as_str()).await?;
    let (last_sync, _) = last(&app, &app.control.archive(&pa.id).await?);
    let check_status_at = begin(&app, &who, &pa).await?;
    let message = "a snapshot is being taken";
    Ok(Json(Synced { success: true, message, last_sync, check_status_at }))
}

/// Where its end can be read.
async fn begin(app: &App, who: &Principal, pa: &Smartbox) -> Result<String, Trouble> {
    let job = app.control.snapshot_later(&who.actor, pa, SnapshotJob::Take).await?;
    Ok(smartbox_api::paths::job(job.id.as_str()))
}
