//! The machine's npm client.

use std::ffi::OsString;
use std::path::Path;

use tokio::process::Command;

use super::{InstallError, error, guard};

/// The lowest major version that reads our lockfiles and knows `libc`.
const FLOOR: u32 = 10;

/// An npm client that will do.
pub(super) struct Npm {
    path: OsString,
}

impl Npm {
    /// Finds it on this PATH.
    pub(super) async fn find(path: OsString) -> Result<Self, InstallError> {
        let npm = std::env::split_paths(&path).map(|dir| dir.join("npm")).find(|npm| npm.is_file());
        let npm = npm.ok_or(InstallError::NpmMissing)?;
        let mut command = Command::new(npm);
        command.arg("--version").env("PATH", &path).kill_on_drop(true);
        let output = command.output().await.map_err(|_| InstallError::NpmMissing)?;
        let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let major = found.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(major) if major >= FLOOR => Ok(Self { path }),
            Some(_) => Err(InstallError::NpmTooOld { found, needed: FLOOR }),
            // An npm without its Node.js says nothing.
            None => Err(InstallError::NpmMissing),
        }
    }

    /// Installs what the lockfile in `dir` names, without running anybody's scripts. `first` is a
    /// directory of programs that npm prefers, for a Node.js of our choice.
    pub(super) async fn ci(
        &self,
        dir: &Path,
        first: Option<&Path>,
        watch: impl Fn(),
    ) -> Result<(), InstallError> {
        let argv = [
            "npm",
            "ci",
            "--ignore-scripts",
            "--include=optional",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--engine-strict=false",
            "--loglevel=error",
            "--no-progress",
        ];
        let usual = std::env::split_paths(&self.path);
        let all = first.map(Path::to_owned).into_iter().chain(usual);
        let path = std::env::join_paths(all)
            .map_err(|e| InstallError::Broken { what: format!("PATH: {e}") })?;
        let ended = guard::run(&argv, dir, &path, watch).await?;
        match ended.signal() {
            _ if ended.status.success() => Ok(()),
            Some(signal) => Err(InstallError::NpmKilled { signal }),
            None => Err(error::of_npm(&ended.output, dir)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fake(script: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let npm = dir.path().join("npm");
        std::fs::write(&npm, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
        dir
    }

    #[tokio::test]
    async fn without_npm_it_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let found = Npm::find(empty.path().into()).await;
        assert!(matches!(found, Err(InstallError::NpmMissing)));
        let mute = fake("exit 127");
        let found = Npm::find(mute.path().into()).await;
        assert!(matches!(found, Err(InstallError::NpmMissing)));
    }

    #[tokio::test]
    async fn an_old_npm_is_named() {
        let old = fake("echo 6.14.18");
        let found = Npm::find(old.path().into()).await;
        assert!(matches!(found, Err(InstallError::NpmTooOld { found, .. }) if found == "6.14.18"));
        let good = fake("echo 11.0.0");
        assert!(Npm::find(good.path().into()).await.is_ok());
    }
}
