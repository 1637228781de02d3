//! Puts the pinned engine where every box finds it: `<data>/engines/openclaw-<version>`.
//!
//! Node.js and OpenClaw come through the machine's npm client, verified by the lockfiles' hashes.
//! Everything happens in a directory beside, which is renamed into place at the very end: what is
//! there is whole. No marker says so; a directory that validates is an installation. Killed at any
//! moment, it leaves a directory that the next installation removes.

mod error;
mod guard;
mod layout;
mod lockfile;
mod npm;
mod place;
mod trim;
mod warm;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::InstallError;
pub use layout::{Installed, adopt, installed};

use place::Partial;

use crate::schema;

/// Bytes that must be free before anything is downloaded.
const NEEDED: u64 = 1_500_000_000;

/// How far the installation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; 0 if that is not known.
    pub total: u64,
    /// Of what: `packages`, `files`, or nothing.
    pub unit: &'static str,
}

/// What is being done, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Another process installs; its result will do.
    Waiting,
    /// npm is looked for, and room.
    Preparing,
    /// Node.js is fetched.
    Node,
    /// The engine is fetched.
    Engine,
    /// What nobody needs at run time is taken out.
    Trimming,
    /// Both programs are run.
    Verifying,
    /// The engine is run once, so that later starts find its code compiled.
    Warming,
    /// Made read-only, written to disk and put in place.
    Placing,
}

impl Phase {
    /// For a progress bar.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "waiting for another installation",
            Self::Preparing => "looking for npm",
            Self::Node => "fetching Node.js",
            Self::Engine => "fetching OpenClaw",
            Self::Trimming => "trimming",
            Self::Verifying => "verifying",
            Self::Warming => "warming up",
            Self::Placing => "putting it in place",
        }
    }
}

/// Where the progress goes.
pub type Report<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Installs the pinned engine, or finds it installed. Dropping the future cancels: npm ends with it.
pub async fn install(data: &Path, report: Report<'_>) -> Result<Installed, InstallError> {
    install_by(data, std::env::var_os("PATH").unwrap_or_default(), report).await
}

/// The same with another PATH.
async fn install_by(
    data: &Path,
    path: OsString,
    report: Report<'_>,
) -> Result<Installed, InstallError> {
    let engines = data.join("engines");
    std::fs::create_dir_all(&engines).map_err(InstallError::io("making the engine directory"))?;
    let _alone = place::alone(&engines, report).await?;
    if let Some(there) = installed(data)? {
        return Ok(there);
    }
    // Said at once: npm may take its time before there is anything to count.
    report(Progress { phase: Phase::Preparing, done: 0, total: 0, unit: "" });
    place::sweep(&engines)?;
    place::room(&engines, NEEDED)?;
    let partial = Partial::new(&engines)?;
    let dir = partial.path();
    let npm = npm::Npm::find(path).await?;
    fetch(&npm, dir, report).await?;
    report(Progress { phase: Phase::Trimming, done: 0, total: 0, unit: "" });
    blocking(dir, trim::trim).await?;
    report(Progress { phase: Phase::Verifying, done: 0, total: 0, unit: "" });
    layout::verify(dir).await?;
    report(Progress { phase: Phase::Warming, done: 0, total: 0, unit: "" });
    warm::warm(dir).await;
    schema::keep(dir).await;
    report(Progress { phase: Phase::Placing, done: 0, total: 0, unit: "" });
    blocking(dir, place::seal).await?;
    partial.place(&layout::directory(data)?)?;
    installed(data)?.ok_or(InstallError::Broken { what: "it vanished after it was placed".into() })
}

async fn fetch(npm: &npm::Npm, dir: &Path, report: Report<'_>) -> Result<(), InstallError> {
    let node = dir.join("node");
    lockfile::write(&node, lockfile::NODE)?;
    npm.ci(&node, None, watcher(Phase::Node, &node, lockfile::NODE, report)?).await?;
    layout::link(dir)?;
    lockfile::write(dir, lockfile::OPENCLAW)?;
    // Under its own Node.js: npm leaves out parts that do not fit the Node.js that it runs on.
    let watch = watcher(Phase::Engine, dir, lockfile::OPENCLAW, report)?;
    npm.ci(dir, Some(&dir.join("bin")), watch).await
}

/// Counts the packages that are there; called again and again.
fn watcher<'a>(
    phase: Phase,
    dir: &'a Path,
    lock: lockfile::Lock,
    report: Report<'a>,
) -> Result<impl Fn() + 'a, InstallError> {
    let packages: Vec<PathBuf> =
        lock.packages()?.iter().map(|key| dir.join(key).join("package.json")).collect();
    let total = count(packages.len());
    Ok(move || {
        let done = count(packages.iter().filter(|path| path.exists()).count());
        report(Progress { phase, done, total, unit: "packages" });
    })
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// How often progress is looked at.
const STEP: Duration = Duration::from_millis(300);

async fn blocking(
    dir: &Path,
    work: fn(&Path) -> Result<(), InstallError>,
) -> Result<(), InstallError> {
    let dir = dir.to_owned();
    match tokio::task::spawn_blocking(move || work(&dir)).await {
        Ok(result) => result,
        Err(error) => Err(InstallError::Broken { what: error.to_string() }),
    }
}

#[cfg(test)]
mod tests;
