//! Why there is no engine, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::manifest::BadManifest;

/// Why the engine was not installed. Nothing half-made is left in place.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no npm client.
    #[error("npm was not found on PATH")]
    NpmMissing,
    /// It is too old for our lockfiles.
    #[error("npm is version {found}; at least {needed} is needed")]
    NpmTooOld {
        /// What it says that it is.
        found: String,
        /// The lowest that will do.
        needed: u32,
    },
    /// The engine does not run on this machine.
    #[error("the engine does not run on {machine}")]
    Unsupported {
        /// System and processor.
        machine: String,
    },
    /// The disk is full, or too full to begin.
    #[error("not enough room in {dir}: the engine needs {needed} MB while it is installed")]
    Full {
        /// Where.
        dir: PathBuf,
        /// Megabytes.
        needed: u64,
    },
    /// The package registry could not be reached.
    #[error("the package registry could not be reached ({detail})")]
    NoNetwork {
        /// npm's own words.
        detail: String,
    },
    /// The download broke off.
    #[error("the download broke off ({detail})")]
    CutOff {
        /// npm's own words.
        detail: String,
    },
    /// What was downloaded is not what the lockfile names.
    #[error("a download is not what it should be ({detail})")]
    Altered {
        /// npm's own words.
        detail: String,
    },
    /// npm failed otherwise.
    #[error("npm failed ({detail})")]
    Npm {
        /// npm's own words.
        detail: String,
    },
    /// Somebody ended npm, or the machine did.
    #[error("npm was killed by signal {signal}")]
    NpmKilled {
        /// Its number.
        signal: i32,
    },
    /// What was installed does not work.
    #[error("the installed engine does not work: {what}")]
    Broken {
        /// What it did.
        what: String,
    },
    /// The directory holds no engine that the platform can use.
    #[error("{dir} holds no usable engine: {why}")]
    NotAnEngine {
        /// The directory.
        dir: PathBuf,
        /// What is missing or wrong.
        why: String,
    },
    /// The platform's own manifest is broken.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    /// The machine failed.
    #[error("{doing} failed")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl InstallError {
    /// One sentence: what the person can do.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NpmMissing => "install Node.js with npm (any version from 10 on), then try again",
            Self::NpmTooOld { .. } => "run `npm install -g npm@latest`, then try again",
            Self::Unsupported { .. } => "use 64-bit Linux on an x86 or ARM processor",
            Self::Full { .. } => "free some disk space or choose another --data-dir",
            Self::NoNetwork { .. } => {
                "check the connection and npm's registry and proxy settings (`npm ping`)"
            }
            Self::CutOff { .. } => "try again: what was fetched is kept in npm's cache",
            Self::Altered { .. } => {
                "run `npm cache verify`, try again, and do not trust this registry if it stays so"
            }
            Self::Npm { .. } => "run `npm doctor`; what stands in brackets is what npm said",
            Self::NpmKilled { .. } => {
                "try again; if it stays so, look whether the machine has memory to spare (`dmesg`)"
            }
            Self::Broken { .. } => {
                "try again; if it stays so, this release does not fit the machine"
            }
            Self::NotAnEngine { .. } => "name a directory that `smartbox` installed",
            Self::Manifest(_) => "install the platform anew",
            Self::Io { .. } => "check the data directory and its permissions",
        }
    }

    /// For `map_err`: tells a full disk from other failures.
    pub(super) fn io(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

/// Reads npm's error codes out of its output.
pub(super) fn of_npm(output: &str, dir: &std::path::Path) -> InstallError {
    let detail = output
        .lines()
        .filter(|line| line.contains("npm error") || line.contains("npm ERR!"))
        .map(|line| line.replace("npm error", "").replace("npm ERR!", ""))
        .map(|line| line.trim().chars().take(160).collect::<String>())
        .filter(|line| !line.is_empty() && !line.contains("debug-0.log"))
        .take(3)
        .collect::<Vec<_>>()
        .join("; ");
    let has = |codes: &[&str]| codes.iter().any(|code| output.contains(code));
    if has(&["ENOSPC", "EDQUOT", "no space left"]) {
        return InstallError::Full { dir: dir.to_owned(), needed: super::NEEDED / 1_000_000 };
    }
    if has(&["EINTEGRITY", "integrity checksum failed"]) {
        return InstallError::Altered { detail };
    }
    if has(&["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH"]) {
        return InstallError::NoNetwork { detail };
    }
    if has(&[
        "ECONNRESET",
        "ETIMEDOUT",
        "ERR_SOCKET_TIMEOUT",
        "EPIPE",
        "FETCH_ERROR",
        "Premature close",
        "ERR_STREAM_PREMATURE_CLOSE",
        "network",
        "aborted",
        "TAR_BAD_ARCHIVE",
        "zlib",
        "Z_BUF_ERROR",
    ]) {
        return InstallError::CutOff { detail };
    }
    let detail = if detail.is_empty() { "it did not say why".to_owned() } else { detail };
    InstallError::Npm { detail }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn told(output: &str) -> InstallError {
        of_npm(output, Path::new("/data"))
    }

    #[test]
    fn npm_is_understood() {
        let refused = "npm error code ECONNREFUSED\nnpm error FetchError: connect ECONNREFUSED";
        assert!(matches!(told(refused), InstallError::NoNetwork { .. }));
        assert!(matches!(told("npm error code ENOTFOUND"), InstallError::NoNetwork { .. }));
        assert!(matches!(told("npm error code ECONNRESET"), InstallError::CutOff { .. }));
        assert!(matches!(told("npm error code EINTEGRITY"), InstallError::Altered { .. }));
        assert!(matches!(told("npm ERR! nospc ENOSPC: no space left"), InstallError::Full { .. }));
        assert!(matches!(told("npm error something"), InstallError::Npm { .. }));
    }

    #[test]
    fn npm_is_quoted_in_brief() {
        let long = format!("npm error code E500\nnpm error {}\nnpm warn no", "x".repeat(9_000));
        let InstallError::Npm { detail } = told(&long) else { panic!("{long}") };
        assert!(detail.starts_with("code E500") && detail.len() < 400, "{detail}");
    }
}
