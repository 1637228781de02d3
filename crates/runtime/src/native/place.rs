//! Homes as wholes. A box's directory holds the home and, for a while, a stage on which another one is
//! put together and a scratch for whoever copies one. The three lie side by side, so that one rename
//! exchanges them; none but the home is ever seen by a sandbox.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use smartbox_core::BoxFuture;
use smartbox_core::home::HomeOf;
use smartbox_core::home::place::{HomePlace, Places};
use smartbox_core::home::port::FileError;
use smartbox_core::sandbox::Phase;

use super::dirs::{BoxDir, private_dir};
use super::forget::destroy;
use super::{Inner, Native, guard, lock, observe, usage};

const STAGE: &str = "stage";
const SCRATCH: &str = "scratch";

/// Whom the box's files belong to.
type User = Option<(u32, u32)>;

impl Places for Native {
    fn place(&self, of: HomeOf) -> BoxFuture<'_, Result<Option<HomePlace>, FileError>> {
        Box::pin(async move {
            // As whoever reads files: a home of an earlier platform is given to its box first.
            let Some(user) = self.0.home_user(&of).await? else { return Ok(None) };
            let dir = self.0.dir(&of.smartbox);
            working("looking for a home", move || scratch(&dir, user)).await.map(Some)
        })
    }

    fn stage(&self, of: HomeOf) -> BoxFuture<'_, Result<PathBuf, FileError>> {
        let inner = self.0.clone();
        finished(async move {
            let lock = inner.lock(&of.smartbox);
            let _one = lock.lock().await;
            let dir = inner.dir(&of.smartbox);
            let stage = working("making a stage for a home", move || stage(&dir)).await?;
            guard(&inner.staged).insert(of.smartbox);
            Ok(stage)
        })
    }

    fn adopt(&self, of: HomeOf) -> BoxFuture<'_, Result<(), FileError>> {
        let inner = self.0.clone();
        // To its end even if the caller goes away.
        finished(async move { adopt(&inner, &of).await })
    }
}

async fn adopt(inner: &Arc<Inner>, of: &HomeOf) -> Result<(), FileError> {
    let doing = "putting a home in its place";
    let id = &of.smartbox;
    let lock = inner.lock(id);
    let _one = lock.lock().await;
    let phase = observe::observe(inner, id).await.map_err(|e| broken(doing, e))?.phase;
    if phase != Phase::Absent {
        return Err(broken(doing, "its sandbox is still there"));
    }
    let dir = inner.dir(id);
    // What lies on the stage without having been staged by us is a former home, or half of one.
    if !guard(&inner.staged).contains(id) {
        return Err(FileError::Absent);
    }
    let _across = lock::across(&dir).await.map_err(|e| broken(doing, e))?;
    let (user, at) = (inner.owner(of.slot), dir.clone());
    working(doing, move || prepare(&at, user, &mut |_| Ok(()))).await?;
    // From here on it may be a former home: trying again must not bring that one back.
    guard(&inner.staged).remove(id);
    let replaced = working(doing, move || exchange(&dir, &mut |_| Ok(()))).await;
    guard(&inner.watch).remove(id);
    guard(&inner.measured).remove(id);
    guard(&inner.homes).remove(id);
    replaced
}

/// Finishes what a killed control plane began: stages and scratches are nobody's by now.
pub(super) fn sweep(data_dir: &Path) {
    for id in super::dirs::boxes(data_dir) {
        let dir = BoxDir::new(data_dir, &id);
        for name in [STAGE, SCRATCH] {
            if let Err(error) = destroy(dir.path(), name) {
                tracing::warn!(%id, %error, name, "what was left beside a home cannot be deleted");
            }
        }
        // Of a box that never came to be nothing else is left. Any other directory is not empty.
        let _ = fs::remove_dir(dir.path());
    }
}

fn scratch(dir: &BoxDir, user: User) -> io::Result<HomePlace> {
    let (root, scratch) = (dir.path().to_owned(), dir.path().join(SCRATCH));
    private_dir(&scratch)?;
    if let Some((uid, gid)) = user {
        std::os::unix::fs::lchown(&scratch, Some(uid), Some(gid))?;
    }
    Ok(HomePlace { home: dir.home(), root, scratch, user })
}

fn stage(dir: &BoxDir) -> io::Result<PathBuf> {
    private_dir(dir.path())?;
    destroy(dir.path(), STAGE)?;
    let stage = dir.path().join(STAGE);
    private_dir(&stage)?;
    Ok(stage)
}

/// Is asked before each step; a failure is the end, as if the process had been killed there.
type Step<'a> = &'a mut dyn FnMut(&'static str) -> io::Result<()>;

fn prepare(dir: &BoxDir, user: User, step: Step<'_>) -> io::Result<()> {
    let stage = dir.path().join(STAGE);
    step("permissions")?;
    fs::set_permissions(&stage, fs::Permissions::from_mode(0o700))?;
    step("owner")?;
    if let Some((uid, gid)) = user
        && !usage::give(&stage, uid, gid)?
    {
        let why = "a path in it is too long for its files to be given to the box";
        return Err(io::Error::other(why));
    }
    step("contents to the disk")?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // All of it must be on the disk before its name is, or a power cut leaves neither home whole.
    rustix::fs::syncfs(rustix::fs::open(&stage, flags, Mode::empty())?)?;
    Ok(())
}

fn exchange(dir: &BoxDir, step: Step<'_>) -> io::Result<()> {
    let (stage, home) = (dir.path().join(STAGE), dir.home());
    step("exchange")?;
    let moved = |how| rustix::fs::renameat_with(CWD, &stage, CWD, &home, how);
    match moved(RenameFlags::EXCHANGE) {
        Err(Errno::NOENT) => moved(RenameFlags::NOREPLACE)?,
        other => other?,
    }
    step("name to the disk")?;
    fs::File::open(dir.path())?.sync_all()?;
    step("removal")?;
    if let Err(error) = destroy(dir.path(), STAGE) {
        // The new home is in its place; the next stage or start of the platform sees to the rest.
        let id = dir.path().file_name();
        tracing::warn!(%error, ?id, "a former home cannot be deleted");
    }
    Ok(())
}

async fn working<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    use io::ErrorKind::{NotFound, QuotaExceeded, StorageFull};
    match tokio::task::spawn_blocking(work).await {
        Ok(Err(e)) if e.kind() == NotFound => Err(FileError::Absent),
        Ok(Err(e)) if matches!(e.kind(), StorageFull | QuotaExceeded) => Err(FileError::Full),
        Ok(done) => done.map_err(|e| broken(doing, e)),
        Err(e) => Err(broken(doing, e)),
    }
}

fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, FileError>> + Send + 'static,
) -> BoxFuture<'static, Result<T, FileError>> {
    let task = tokio::spawn(work);
    Box::pin(async move { task.await.unwrap_or_else(|e| Err(broken("moving a home", e))) })
}

fn broken(
    doing: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> FileError {
    FileError::Broken { doing, source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 6] =
        ["permissions", "owner", "contents to the disk", "exchange", "name to the disk", "removal"];

    fn data_dir() -> (tempfile::TempDir, BoxDir) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("boxes")).unwrap();
        let id = "box_00000000000000000001".parse().unwrap();
        let there = BoxDir::new(dir.path(), &id);
        (dir, there)
    }

    fn put_together(dir: &BoxDir) {
        let stage = stage(dir).unwrap();
        fs::create_dir(stage.join("notes")).unwrap();
        fs::write(stage.join("notes/new"), "new").unwrap();
    }

    /// Adopts what is staged and is killed before the step of this name.
    fn adopt_until(dir: &BoxDir, last: &str) -> io::Result<()> {
        let user = rustix::process::geteuid().is_root().then_some((4711, 4711));
        let mut step = |name: &'static str| match name == last {
            true => Err(io::ErrorKind::Interrupted.into()),
            false => Ok(()),
        };
        prepare(dir, user, &mut step)?;
        exchange(dir, &mut step)
    }

    #[test]
    fn killed_before_any_step_the_home_is_the_one_or_the_other_whole() {
        for (at, name) in STEPS.iter().enumerate() {
            let (data, dir) = data_dir();
            dir.make(None).unwrap();
            fs::write(dir.home().join("old"), "old").unwrap();
            put_together(&dir);
            assert!(adopt_until(&dir, name).is_err(), "{name} is no step");
            let (old, new) = (dir.home().join("old"), dir.home().join("notes/new"));
            assert_eq!((old.exists(), new.exists()), (at <= 3, at > 3), "{name}");
            // The next platform.
            sweep(data.path());
            assert!(!dir.path().join(STAGE).exists(), "{name}");
            assert!(dir.path().exists());
            assert_eq!((old.exists(), new.exists()), (at <= 3, at > 3), "{name}");
            put_together(&dir);
            adopt_until(&dir, "none").unwrap();
            assert_eq!((old.exists(), new.exists()), (false, true), "{name}");
            assert!(!dir.path().join(STAGE).exists());
        }
    }

    #[test]
    fn a_home_comes_where_there_was_none() {
        for name in STEPS.iter().chain([&"none"]) {
            let (_data, dir) = data_dir();
            put_together(&dir);
            let whole = adopt_until(&dir, name).is_ok();
            let there = fs::read_to_string(dir.home().join("notes/new")).ok();
            assert_eq!(whole, *name == "none");
            assert!(there.as_deref() == Some("new") || !dir.home().exists(), "{name}");
        }
    }

    #[test]
    fn of_a_box_that_never_came_to_be_nothing_is_left() {
        let (data, dir) = data_dir();
        put_together(&dir);
        sweep(data.path());
        assert!(!dir.path().exists());
    }

    #[test]
    fn what_a_box_built_goes_with_its_home_and_nothing_outside_it() {
        let (data, dir) = data_dir();
        dir.make(None).unwrap();
        let outside = data.path().join("outside");
        fs::write(&outside, "x").unwrap();
        std::os::unix::fs::symlink(&outside, dir.home().join("link")).unwrap();
        let mut deep = rustix::fs::open(dir.home(), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..600 {
            rustix::fs::mkdirat(&deep, "directory-with-a-long-name", Mode::RWXU).unwrap();
            deep = rustix::fs::openat(
                &deep,
                "directory-with-a-long-name",
                OFlags::DIRECTORY,
                Mode::empty(),
            )
            .unwrap();
        }
        fs::create_dir(dir.home().join("shut")).unwrap();
        fs::write(dir.home().join("shut/in"), "x").unwrap();
        fs::set_permissions(dir.home().join("shut"), fs::Permissions::from_mode(0o0)).unwrap();
        fs::set_permissions(dir.home(), fs::Permissions::from_mode(0o500)).unwrap();
        put_together(&dir);
        adopt_until(&dir, "none").unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"x");
        assert_eq!(fs::read_dir(dir.home()).unwrap().count(), 1);
        assert!(!dir.path().join(STAGE).exists());
        assert_eq!(fs::metadata(dir.home()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_staged_link_is_given_and_never_what_it_leads_to() {
        use std::os::unix::fs::MetadataExt;
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (data, dir) = data_dir();
        let outside = data.path().join("outside");
        fs::create_dir(&outside).unwrap();
        put_together(&dir);
        std::os::unix::fs::symlink(&outside, dir.path().join("stage/link")).unwrap();
        adopt_until(&dir, "none").unwrap();
        let uid = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        for path in ["", "notes", "notes/new", "link"] {
            assert_eq!(uid(&dir.home().join(path)), 4711, "{path}");
        }
        assert_eq!(uid(&outside), 0);
    }

    #[test]
    fn a_tree_that_cannot_be_given_whole_never_becomes_a_home() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (_data, dir) = data_dir();
        dir.make(None).unwrap();
        fs::write(dir.home().join("old"), "old").unwrap();
        put_together(&dir);
        let mut deep = rustix::fs::open(dir.path().join(STAGE), OFlags::DIRECTORY, Mode::empty());
        for _ in 0..30 {
            let (at, name) = (deep.unwrap(), "n".repeat(200));
            rustix::fs::mkdirat(&at, &name, Mode::RWXU).unwrap();
            deep = rustix::fs::openat(&at, &name, OFlags::DIRECTORY, Mode::empty());
        }
        assert!(adopt_until(&dir, "none").is_err());
        assert!(dir.home().join("old").exists());
    }
}
