//! The data directory and the disk under it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::check::Check;
use crate::ui::size;

/// The engine, its caches, and something for homes.
const WANTED: u64 = 3 << 30;
/// Below this not even the engine fits.
const LEAST: u64 = 1 << 30;

pub(super) fn checks(dir: &Path) -> Vec<Check> {
    vec![directory(dir), space(dir)]
}

fn directory(dir: &Path) -> Check {
    const NAME: &str = "data directory";
    let shown = dir.display();
    let Ok(meta) = std::fs::metadata(dir) else {
        return Check::ok(NAME, format!("{shown} is not there yet; `smartbox up` makes it"));
    };
    if !meta.is_dir() {
        let hint = "say another with --data-dir";
        return Check::fail(NAME, format!("{shown} is no directory"), hint);
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        let what = format!("{shown} belongs to another user (uid {})", meta.uid());
        return Check::fail(NAME, what, "run this as that user, or say another with --data-dir");
    }
    if meta.permissions().mode() & 0o022 != 0 {
        let hint = format!("chmod go-w {shown}");
        return Check::fail(NAME, format!("{shown} can be written by others"), hint);
    }
    Check::ok(NAME, format!("{shown}"))
}

fn space(dir: &Path) -> Check {
    const NAME: &str = "disk";
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(dir);
    let Ok(stat) = rustix::fs::statvfs(there) else {
        let what = format!("how much space {} has cannot be read", there.display());
        return Check::warn(NAME, what, "");
    };
    judge(stat.f_bavail.saturating_mul(stat.f_frsize), there)
}

fn judge(free: u64, there: &Path) -> Check {
    const NAME: &str = "disk";
    let what = format!("{} free at {}", size::bytes(free), there.display());
    match free {
        0..LEAST => Check::fail(NAME, what, "make room: the engine alone takes about 650 MB"),
        LEAST..WANTED => {
            Check::warn(NAME, what, "make room soon: homes grow, and a full disk stops all of them")
        }
        _ => Check::ok(NAME, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    #[test]
    fn a_full_disk_and_an_open_directory_are_found() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(judge(1 << 20, dir.path()).level, Level::Fail);
        assert_eq!(judge(2 << 30, dir.path()).level, Level::Warn);
        assert_eq!(judge(9 << 30, dir.path()).level, Level::Ok);
        assert_eq!(directory(dir.path()).level, Level::Ok);
        assert_eq!(directory(&dir.path().join("none")).level, Level::Ok);
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(directory(dir.path()).level, Level::Fail);
    }
}
