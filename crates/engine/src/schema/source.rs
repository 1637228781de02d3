//! Where a schema comes from.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use smartbox_core::config::port::NoSchema;
use smartbox_core::engine::Manifest;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::manifest;

/// The schema in an installed engine's directory, written when it was installed.
const FILE: &str = "config.schema.json";
/// The largest schema that is taken; the real one has 2.4 MB.
const MAX_BYTES: u64 = 32 << 20;
/// The longest that the engine may take to tell it; measured: 2.4 s.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where a schema comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// This text.
    Text(&'static str),
    /// An installed engine: its directory on this machine.
    Installed(PathBuf),
}

impl Source {
    pub(super) async fn read(&self) -> Result<Arc<[u8]>, NoSchema> {
        match self {
            Self::Text(text) => Ok(text.as_bytes().into()),
            Self::Installed(dir) => match tokio::fs::read(dir.join(FILE)).await {
                Ok(text) => Ok(text.into()),
                // Installed before schemas were kept.
                Err(_) => ask(dir).await.map(Into::into),
            },
        }
    }
}

/// Keeps the schema of a fresh engine in its directory. An engine without one is asked when the first
/// configuration is checked, so that a failure is told in the log and is no reason to have no engine.
pub(crate) async fn keep(dir: &Path) {
    let kept = match ask(dir).await {
        Ok(text) => std::fs::write(dir.join(FILE), text).map_err(|e| NoSchema(e.to_string())),
        Err(error) => Err(error),
    };
    if let Err(error) = kept {
        tracing::warn!(%error, "the engine's schema is not kept");
    }
}

/// Asks an installed engine for its schema: runs it for a moment, in a home of its own.
async fn ask(dir: &Path) -> Result<Vec<u8>, NoSchema> {
    let failed = |e: &dyn std::fmt::Display| NoSchema(e.to_string());
    let home = tempfile::tempdir().map_err(|e| failed(&e))?;
    let manifest = manifest::openclaw().map_err(|e| failed(&e))?;
    let manifest = manifest::unboxed(&manifest, dir, home.path());
    tokio::time::timeout(PATIENCE, run(&manifest, home.path()))
        .await
        .map_err(|_| NoSchema("the engine did not tell it in time".into()))?
}

async fn run(manifest: &Manifest, home: &Path) -> Result<Vec<u8>, NoSchema> {
    let failed = |e: std::io::Error| NoSchema(format!("running the engine: {e}"));
    // The program and its options, without what it does in a box.
    let program: Vec<&String> =
        manifest.argv.iter().take_while(|arg| arg.as_str() != "gateway").collect();
    let Some((program, options)) = program.split_first() else {
        return Err(NoSchema("the manifest names no program".into()));
    };
    let mut child = Command::new(program)
        .args(options)
        .args(["config", "schema"])
        .env_clear()
        .envs(&manifest.env)
        .env("TMPDIR", home)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut text = Vec::new();
    if let Some(out) = child.stdout.take() {
        out.take(MAX_BYTES + 1).read_to_end(&mut text).await.map_err(failed)?;
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(NoSchema(format!("it is larger than {MAX_BYTES} bytes")));
    }
    let status = child.wait().await.map_err(failed)?;
    if !status.success() {
        return Err(NoSchema(format!("the engine ended with {status}")));
    }
    // Cut off or with something before it, it is no schema.
    match serde_json::from_slice::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(e) => Err(NoSchema(format!("it is not JSON: {e}"))),
    }
}
