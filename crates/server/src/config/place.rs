//! Where the data directory is: the same answer for server and client.

use std::path::{Path, PathBuf};

use super::env::Env;
use super::error::ConfigError;

/// Names the data directory in the environment.
pub const DATA_DIR: &str = "SMARTBOX_DATA_DIR";

/// `--data-dir`, else `SMARTBOX_DATA_DIR`, else `/var/lib/smartbox` for root and
/// `$XDG_DATA_HOME/smartbox` or `~/.local/share/smartbox` for others.
pub fn data_dir(explicit: Option<&Path>, env: &Env) -> Result<PathBuf, ConfigError> {
    let chosen = explicit.map(Path::to_owned).or_else(|| env.get(DATA_DIR).map(PathBuf::from));
    if let Some(path) = chosen {
        // Absolute, so that what is told to others (helpers, messages) holds from anywhere.
        return std::path::absolute(&path).map_err(|e| {
            ConfigError::value(DATA_DIR, e.to_string(), "give the path of a directory")
        });
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/smartbox"));
    }
    if let Some(data) = env.get("XDG_DATA_HOME").map(Path::new).filter(|p| p.is_absolute()) {
        return Ok(data.join("smartbox"));
    }
    let home = env.get("HOME").ok_or(ConfigError::NoHome)?;
    Ok(Path::new(home).join(".local/share/smartbox"))
}

/// The socket on which the local command line finds the platform.
pub fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}
