//! Runs the fresh engine once with a model of our own and ends it cleanly: it then leaves its code
//! compiled. The cache is portable (keyed by paths relative to it), so that it serves boxes, where
//! the engine lies elsewhere, and it is read-only there, so that no box can change what another runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use smartbox_core::engine::Turn;
use smartbox_core::engine::port::Engine;
use smartbox_core::sandbox::INNER_UID;

use super::layout::CACHE;
use crate::local::{Process, ProcessError};
use crate::manifest;

const PATIENCE: Duration = Duration::from_secs(180);

/// Makes the cache. An engine without one starts some seconds later, so that a failure is told in
/// the log and is no reason to have no engine.
pub(super) async fn warm(dir: &Path) {
    if let Err(error) = run(dir).await {
        tracing::warn!(%error, "the engine was not warmed up; its starts will be slower");
        let _ = std::fs::remove_dir_all(dir.join(CACHE));
    }
}

async fn run(dir: &Path) -> Result<(), ProcessError> {
    let failed = |e: &dyn std::fmt::Display| ProcessError(e.to_string());
    let home = tempfile::tempdir().map_err(|e| failed(&e))?;
    std::fs::create_dir_all(dir.join(CACHE)).map_err(|e| failed(&e))?;
    let manifest = manifest::openclaw().map_err(|e| failed(&e))?;
    let manifest = manifest::unboxed(&manifest, dir, home.path());
    let process = Process::prepare(manifest, home.path(), PATIENCE)
        .await?
        .with_env("TMPDIR", &home.path().to_string_lossy());
    process.boot().await?;
    // The first turn loads code that starting does not.
    tokio::time::timeout(PATIENCE, turn(&process)).await.map_err(|e| failed(&e))??;
    let status = process.stop().await?;
    if !status.success() {
        return Err(ProcessError(format!("it ended with {status}")));
    }
    rename_leaf(&dir.join(CACHE)).map_err(|e| failed(&e))
}

async fn turn(process: &Process) -> Result<(), ProcessError> {
    let failed = |e: &dyn std::fmt::Display| ProcessError(e.to_string());
    let turn =
        Turn { session: "main".into(), text: "hello".into(), idempotency_key: "msg_warm".into() };
    let engine: Arc<dyn Engine> = Arc::new(process.engine.clone());
    let mut events = engine.chat(process.dial(), turn).await.map_err(|e| failed(&e))?;
    while let Some(event) = events.next().await {
        event.map_err(|e| failed(&e))?;
    }
    Ok(())
}

/// The directory's last part names the uid that made it; inside, boxes have another.
fn rename_leaf(cache: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(cache)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((leaf, uid)) = name.rsplit_once('-') else { continue };
        if uid.bytes().all(|b| b.is_ascii_digit()) && uid != INNER_UID.to_string() {
            std::fs::rename(entry.path(), cache.join(format!("{leaf}-{INNER_UID}")))?;
        }
    }
    Ok(())
}
