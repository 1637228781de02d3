//! What is installed: package files and lockfiles that ship with the platform.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::InstallError;

/// A package file and its lockfile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lock {
    package: &'static str,
    lock: &'static str,
}

/// Node.js.
pub(super) const NODE: Lock = Lock {
    package: include_str!("../../install/node/package.json"),
    lock: include_str!("../../install/node/package-lock.json"),
};

/// OpenClaw.
pub(super) const OPENCLAW: Lock = Lock {
    package: include_str!("../../install/openclaw/package.json"),
    lock: include_str!("../../install/openclaw/package-lock.json"),
};

#[derive(Deserialize)]
struct Whole {
    packages: BTreeMap<String, Package>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Package {
    version: String,
    integrity: Option<String>,
    /// It came in the archive of the package that it lies in, and is verified with that.
    in_bundle: bool,
    os: Words,
    cpu: Words,
    libc: Words,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Words {
    fn admit(&self, word: &str) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Many(many) => many.is_empty() || many.iter().any(|one| one == word),
        }
    }
}

impl Lock {
    /// The packages that this machine gets, as paths below the directory.
    pub(super) fn packages(&self) -> Result<Vec<String>, InstallError> {
        let cpu = cpu()?;
        let fits = |p: &Package| p.os.admit("linux") && p.cpu.admit(cpu) && p.libc.admit("glibc");
        let all = self.parse()?.packages;
        Ok(all.into_iter().filter(|(k, p)| !k.is_empty() && fits(p)).map(|(k, _)| k).collect())
    }

    /// The version of one package.
    pub(super) fn version(&self, package: &str) -> Result<String, InstallError> {
        let whole = self.parse()?;
        let found = whole.packages.get(&format!("node_modules/{package}"));
        found
            .map(|p| p.version.clone())
            .ok_or_else(|| InstallError::Broken { what: format!("the lockfile has no {package}") })
    }

    fn parse(&self) -> Result<Whole, InstallError> {
        serde_json::from_str(self.lock)
            .map_err(|e| InstallError::Broken { what: format!("the lockfile: {e}") })
    }
}

/// Puts both files into a directory.
pub(super) fn write(dir: &Path, lock: Lock) -> Result<(), InstallError> {
    let io = InstallError::io("writing the lockfile");
    std::fs::create_dir_all(dir).map_err(&io)?;
    std::fs::write(dir.join("package.json"), lock.package).map_err(&io)?;
    std::fs::write(dir.join("package-lock.json"), lock.lock).map_err(&io)
}

/// npm's word for this processor.
pub(super) fn cpu() -> Result<&'static str, InstallError> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("x64"),
        ("linux", "aarch64") => Ok("arm64"),
        (os, arch) => Err(InstallError::Unsupported { machine: format!("{os} {arch}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    #[test]
    fn the_lockfile_is_the_manifest_version() {
        let pinned = manifest::openclaw().unwrap().version;
        assert_eq!(OPENCLAW.version("openclaw").unwrap(), pinned);
    }

    #[test]
    fn every_package_is_verified_and_none_names_a_registry() {
        for lock in [NODE, OPENCLAW] {
            assert!(!lock.lock.contains("\"resolved\""));
            for (key, package) in lock.parse().unwrap().packages {
                let hashed = package.integrity.is_some_and(|i| i.starts_with("sha512-"));
                assert!(key.is_empty() || hashed || package.in_bundle, "{key}");
            }
        }
    }

    #[test]
    fn only_this_machine_packages_are_counted() {
        assert_eq!(NODE.packages().unwrap().len(), 1);
        let packages = OPENCLAW.packages().unwrap();
        assert!(packages.len() > 300 && !packages.iter().any(|p| p.contains("win32")));
    }
}
