//! One installation at a time, in a directory beside, put in place by one rename.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{InstallError, Phase, Progress, Report, STEP, trim};

const PREFIX: &str = ".partial-";

/// Waits until no other process installs here. The lock ends with its holder.
pub(super) async fn alone(engines: &Path, report: Report<'_>) -> Result<File, InstallError> {
    let io = InstallError::io("locking the engine directory");
    let lock = File::create(engines.join(".lock")).map_err(&io)?;
    let mut steps = tokio::time::interval(STEP);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(fs::TryLockError::WouldBlock) => {
                report(Progress { phase: Phase::Waiting, done: 0, total: 0, unit: "" });
            }
            Err(fs::TryLockError::Error(error)) => return Err(io(error)),
        }
        steps.tick().await;
    }
}

/// Removes what a killed installation left. The caller holds the lock.
pub(super) fn sweep(engines: &Path) -> Result<(), InstallError> {
    let io = InstallError::io("reading the engine directory");
    for entry in fs::read_dir(engines).map_err(&io)? {
        let entry = entry.map_err(&io)?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // A child of the killed one may be writing its last; then the next run sweeps again.
            if let Err(error) = remove(&entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "a remnant stays");
            }
        }
    }
    Ok(())
}

/// Removes a directory, read-only ones in it too.
fn remove(dir: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(dir)?.is_dir() {
        open_up(dir)?;
    }
    fs::remove_dir_all(dir)
}

fn open_up(dir: &Path) -> std::io::Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Checks that there is room.
pub(super) fn room(engines: &Path, needed: u64) -> Result<(), InstallError> {
    let disk = rustix::fs::statvfs(engines)
        .map_err(|e| InstallError::io("asking for the room on the disk")(e.into()))?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < needed {
        return Err(InstallError::Full { dir: engines.to_owned(), needed: needed / 1_000_000 });
    }
    Ok(())
}

/// An installation in the making; removed when dropped.
pub(super) struct Partial {
    dir: TempDir,
}

impl Partial {
    pub(super) fn new(engines: &Path) -> Result<Self, InstallError> {
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(engines)
            .map_err(InstallError::io("making a directory for the engine"))?;
        Ok(Self { dir })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts it in its place. What is there and is no installation goes.
    pub(super) fn place(self, target: &Path) -> Result<(), InstallError> {
        let io = InstallError::io("putting the engine in its place");
        let engines = target.parent().unwrap_or(target);
        if target.exists() {
            let aside: PathBuf = engines.join(format!("{PREFIX}replaced-{}", std::process::id()));
            fs::rename(target, &aside).map_err(&io)?;
            // The next installation sweeps what stays.
            let _ = remove(&aside);
        }
        fs::rename(self.dir.path(), target).map_err(&io)?;
        // It is no longer where the guard would remove it.
        let _ = self.dir.keep();
        File::open(engines).and_then(|dir| dir.sync_all()).map_err(io)
    }
}

/// Makes everything read-only and writes it to disk: after the rename it must be whole, also when
/// the power fails.
pub(super) fn seal(dir: &Path) -> Result<(), InstallError> {
    let io = InstallError::io("making the engine read-only");
    trim::walk(dir, &mut |path| {
        let meta = fs::symlink_metadata(path)?;
        if meta.is_symlink() {
            return Ok(());
        }
        let run = meta.permissions().mode() & 0o111 != 0;
        fs::set_permissions(path, Permissions::from_mode(if run { 0o555 } else { 0o444 }))
    })
    .map_err(&io)?;
    close(dir).map_err(&io)?;
    let root = File::open(dir).map_err(&io)?;
    rustix::fs::syncfs(&root).map_err(|e| io(e.into()))
}

fn close(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            close(&entry.path())?;
        }
    }
    fs::set_permissions(dir, Permissions::from_mode(0o555))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(dir: &Path) {
        fs::create_dir_all(dir.join("a/b")).unwrap();
        fs::write(dir.join("a/b/tool"), "x").unwrap();
        fs::set_permissions(dir.join("a/b/tool"), Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.join("a/text"), "x").unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_is_placed_whole_and_read_only() {
        let engines = tempfile::tempdir().unwrap();
        let partial = Partial::new(engines.path()).unwrap();
        fill(partial.path());
        seal(partial.path()).unwrap();
        let target = engines.path().join("openclaw-1");
        fs::create_dir(&target).unwrap();
        partial.place(&target).unwrap();
        assert_eq!(mode(&target.join("a/b/tool")), 0o555);
        assert_eq!(mode(&target.join("a/text")), 0o444);
        assert_eq!(mode(&target.join("a")), 0o555);
        assert_eq!(fs::read_dir(engines.path()).unwrap().count(), 1);
        remove(&target).unwrap();
    }

    #[test]
    fn remnants_are_swept_and_installations_are_not() {
        let engines = tempfile::tempdir().unwrap();
        let dead = engines.path().join(".partial-dead");
        fill(&dead);
        seal(&dead).unwrap();
        fill(&engines.path().join("openclaw-1"));
        sweep(engines.path()).unwrap();
        assert!(!dead.exists());
        assert!(engines.path().join("openclaw-1/a/text").exists());
    }

    #[test]
    fn a_dropped_one_leaves_nothing() {
        let engines = tempfile::tempdir().unwrap();
        let partial = Partial::new(engines.path()).unwrap();
        fill(partial.path());
        drop(partial);
        assert_eq!(fs::read_dir(engines.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_small_disk_is_refused_before_anything_is_fetched() {
        let engines = tempfile::tempdir().unwrap();
        assert!(room(engines.path(), 1).is_ok());
        assert!(matches!(room(engines.path(), u64::MAX), Err(InstallError::Full { .. })));
    }

    #[tokio::test]
    async fn two_installations_wait_for_each_other() {
        let engines = tempfile::tempdir().unwrap();
        let first = alone(engines.path(), &|_| {}).await.unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        let report = move |progress: Progress| {
            let _ = tell.send(progress.phase);
        };
        let second = alone(engines.path(), &report);
        let mut second = Box::pin(second);
        while told.try_recv().is_err() {
            let step = std::time::Duration::from_millis(20);
            assert!(tokio::time::timeout(step, &mut second).await.is_err(), "both are alone");
        }
        drop(first);
        second.await.unwrap();
    }
}
