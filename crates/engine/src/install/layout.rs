//! What an installation looks like, and whether a directory is one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::lockfile::{self, NODE, OPENCLAW};
use super::{InstallError, trim};
use crate::manifest;

/// An engine that is there, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its directory: what a sandbox gets as `engine_dir`.
    pub dir: PathBuf,
    /// The engine's version.
    pub version: String,
    /// The version of its Node.js.
    pub node: String,
    /// Whether a compile cache for boxes is there; without it starts take some seconds more.
    pub warm: bool,
}

impl Installed {
    /// Bytes on disk; walks the whole directory.
    pub fn size(&self) -> u64 {
        trim::size(&self.dir)
    }
}

/// Where boxes' compile cache is.
pub(super) const CACHE: &str = "compile-cache";

/// Where the pinned engine belongs.
pub(super) fn directory(data: &Path) -> Result<PathBuf, InstallError> {
    let version = manifest::openclaw()?.version;
    Ok(data.join("engines").join(format!("openclaw-{version}")))
}

/// The pinned engine, if it is installed.
pub fn installed(data: &Path) -> Result<Option<Installed>, InstallError> {
    match adopt(&directory(data)?) {
        Ok(found) if found.version == manifest::openclaw()?.version => Ok(Some(found)),
        Ok(_) | Err(InstallError::NotAnEngine { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes a directory that was installed elsewhere, like one in an image. Its version must not be
/// below the adapter's floor.
pub fn adopt(dir: &Path) -> Result<Installed, InstallError> {
    let no = |why: String| InstallError::NotAnEngine { dir: dir.to_owned(), why };
    let version = package_version(&dir.join("node_modules/openclaw"));
    let version = version.ok_or_else(|| no("it has no OpenClaw".into()))?;
    let floor = manifest::openclaw()?.floor;
    if crate::gateway::wire::check_floor(&version, &floor).is_err() {
        return Err(no(format!("OpenClaw is {version}; at least {floor} is needed")));
    }
    let node = package_version(&dir.join(node_package()?));
    let node = node.ok_or_else(|| no("it has no Node.js".into()))?;
    for program in ["bin/node", "bin/openclaw"] {
        if !dir.join(program).is_file() {
            return Err(no(format!("{program} is missing")));
        }
    }
    let warm = std::fs::read_dir(dir.join(CACHE)).is_ok_and(|mut leaves| leaves.next().is_some());
    Ok(Installed { dir: dir.to_owned(), version, node, warm })
}

fn node_package() -> Result<String, InstallError> {
    Ok(format!("node/node_modules/node-linux-{}", lockfile::cpu()?))
}

fn package_version(dir: &Path) -> Option<String> {
    let text = std::fs::read(dir.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_slice(&text).ok()?;
    package["version"].as_str().map(str::to_owned)
}

/// Makes `bin`, where the manifest and a person in the box find both programs.
pub(super) fn link(dir: &Path) -> Result<(), InstallError> {
    let io = InstallError::io("linking the programs");
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).map_err(&io)?;
    let node = format!("../{}/bin/node", node_package()?);
    std::os::unix::fs::symlink(node, bin.join("node")).map_err(&io)?;
    let openclaw = "../node_modules/openclaw/openclaw.mjs";
    std::os::unix::fs::symlink(openclaw, bin.join("openclaw")).map_err(&io)
}

/// Runs both programs. OpenClaw's first run also completes what its own install scripts, which we do
/// not run, would have done.
pub(super) async fn verify(dir: &Path) -> Result<(), InstallError> {
    adopt(dir)?;
    let cpu = lockfile::cpu()?;
    let node = NODE.version(&format!("node-linux-{cpu}"))?;
    says(dir, &["--version"], &node).await?;
    let program = dir.join("node_modules/openclaw/openclaw.mjs");
    let version = OPENCLAW.version("openclaw")?;
    says(dir, &[&program.to_string_lossy(), "--version"], &version).await
}

async fn says(dir: &Path, args: &[&str], expected: &str) -> Result<(), InstallError> {
    let broken = |what: String| InstallError::Broken { what };
    let home = tempfile::tempdir().map_err(InstallError::io("making a directory"))?;
    let mut command = Command::new(dir.join("bin/node"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", dir.join("bin"))
        .env("OPENCLAW_STATE_DIR", home.path())
        .env("NODE_DISABLE_COMPILE_CACHE", "1")
        .current_dir(home.path())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output())
        .await
        .map_err(|_| broken("it does not answer".into()))?
        .map_err(|e| broken(e.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && said.contains(expected) {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let words: String = words.trim().chars().take(300).collect();
    Err(broken(format!("asked for its version ({expected}) it says `{}` {words}", said.trim())))
}
