//! The same checks for puppet and for OpenClaw.

use std::path::Path;
use std::time::Duration;

use smartbox_engine::conformance::{self, Process};
use smartbox_engine::manifest;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn puppet(home: &Path) -> Result<Process, Box<dyn std::error::Error>> {
    let mut manifest = manifest::unboxed(&manifest::puppet()?, Path::new("/none"), home);
    manifest.argv = vec![env!("CARGO_BIN_EXE_smartbox-puppet").into()];
    manifest.doctor[0].clone_from(&manifest.argv[0]);
    Ok(Process::prepare(manifest, home, PATIENCE).await?)
}

#[tokio::test]
pub(crate) async fn puppet_conforms() {
    let home = tempfile::tempdir().unwrap();
    let process = puppet(home.path()).await.unwrap();
    if let Err(failure) = conformance::all(&process).await {
        panic!("{failure}\n{}", String::from_utf8_lossy(&process.log()));
    }
}

#[tokio::test]
async fn a_puppet_lease_ends_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let process = puppet(home.path()).await.unwrap().with_env("PUPPET_LEASE_MS", "300");
    conformance::lease_ends(&process, Duration::from_millis(300)).await.unwrap();
}

/// Needs an installed engine: its directory in `SMARTBOX_TEST_ENGINE`.
#[tokio::test]
async fn openclaw_conforms() {
    let Some(dir) = std::env::var_os("SMARTBOX_TEST_ENGINE") else {
        eprintln!("NOT CHECKED: OpenClaw. Name an installed engine in SMARTBOX_TEST_ENGINE.");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let manifest = manifest::openclaw().unwrap();
    let manifest = manifest::unboxed(&manifest, Path::new(&dir), home.path());
    let process = Process::prepare(manifest, home.path(), PATIENCE * 4).await.unwrap();
    if let Err(failure) = conformance::all(&process).await {
        panic!("{failure}\n{}", String::from_utf8_lossy(&process.log()));
    }
}
