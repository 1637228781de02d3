//! Init's executable: embedded here, written once to the data directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::dirs::private_dir;

/// The box's PID 1, a static executable.
pub static INIT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init.bin"));

/// Writes init unless it is there, and says where.
///
/// Nobody may read it, only run it: a program that cannot be read is not dumpable, so that nothing
/// inside a box can look into init even in its first moments.
pub(super) fn install(data_dir: &Path) -> io::Result<PathBuf> {
    let bin = data_dir.join("bin");
    private_dir(&bin)?;
    let path = bin.join(concat!("init-", env!("SMARTBOX_INIT_HASH")));
    let length = u64::try_from(INIT.len()).unwrap_or(0);
    forget_others(&bin, &path);
    if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == length) {
        return Ok(path);
    }
    let temporary = bin.join(format!("init-new-{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(INIT)?;
    file.set_permissions(fs::Permissions::from_mode(0o111))?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, &path)?;
    Ok(path)
}

/// Removes the inits of other versions. Boxes that run one keep it: it is mounted.
fn forget_others(bin: &Path, ours: &Path) {
    let Ok(entries) = fs::read_dir(bin) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path != ours) {
        let is_init = path.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with("init-") && !name.starts_with("init-new-")
        });
        if is_init {
            // It costs two megabytes, no more.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_is_written_once_and_older_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        private_dir(&dir.path().join("bin")).unwrap();
        fs::write(dir.path().join("bin/init-0123"), "old").unwrap();
        let path = install(dir.path()).unwrap();
        let made = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(install(dir.path()).unwrap(), path);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), made);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o111);
        assert_eq!(fs::read_dir(dir.path().join("bin")).unwrap().count(), 1);
    }
}
