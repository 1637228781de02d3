//! The files of homes, read and written on the host, whether there is a sandbox or not.
//!
//! The walk is [`smartbox_home`]'s: nothing is ever resolved outside of the home. Where boxes have
//! uids of their own, the thread that does the work is that user's meanwhile, so that files belong to
//! the box and the kernel's permissions are a second wall behind the walk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use smartbox_core::home::port::{FileDraft, FileError, Homes, OpenFile};
use smartbox_core::home::{FileChange, FileEntry, FilePage, FilePath, HomeOf, WriteOrder};
use smartbox_core::{BoxFuture, BoxStream};
use smartbox_home::{Beneath, Draft, Fault, Home, Opened, Order};

use super::sys::FileUser;
use super::{Inner, Native, guard, usage};
use crate::files::{condition, entry, explain};
use crate::nest::spec::Level;

/// Bytes that are read in one go.
const PIECE: u64 = 256 << 10;
/// A measurement of a home holds so long at the most.
const STALE: Duration = Duration::from_secs(30);

/// What a home held when it was measured last.
pub(super) struct Measured {
    at: Instant,
    took: Duration,
    used: u64,
}

/// A home, open, and who works in it.
struct Place {
    home: Home,
    user: Option<(u32, u32)>,
}

impl Place {
    /// Does what may wait for a disk on a thread that may wait, as the box's user.
    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce(&Home) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, FileError> {
        elsewhere(self.user, move || work(&self.home)).await
    }
}

async fn elsewhere<T: Send + 'static>(
    user: Option<(u32, u32)>,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, FileError> {
    let task = tokio::task::spawn_blocking(move || {
        let _user = FileUser::become_user(user)?;
        work()
    });
    match task.await {
        Ok(done) => done.map_err(explain),
        Err(error) => Err(FileError::Broken { doing: "working on a file", source: error.into() }),
    }
}

impl Inner {
    /// Opens a home; one that was never made is made if asked for, and nothing otherwise.
    async fn home(&self, of: &HomeOf, make: bool) -> Result<Option<Place>, FileError> {
        let expected = self.owner(of.slot);
        let dir = self.dir(&of.smartbox);
        let path = dir.home();
        let open = move || {
            let home = Home::open(&path)?;
            let owner = home.owner()?;
            Ok((home, owner))
        };
        let found = match elsewhere(None, open.clone()).await {
            Err(FileError::Absent) if !make => return Ok(None),
            Err(FileError::Absent) => None,
            other => Some(other?),
        };
        let whose = |owner| (self.level == Level::Full).then_some(owner);
        if let Some((home, owner)) = found
            && (self.level != Level::Full || owner.0 != 0)
        {
            return Ok(Some(Place { home, user: whose(owner) }));
        }
        // Never made, or made by a platform that gave boxes no uid: as the next start would.
        let lock = self.lock(&of.smartbox);
        let _one = lock.lock().await;
        elsewhere(None, move || Ok(dir.make(expected)?)).await?;
        let (home, owner) = elsewhere(None, open).await?;
        Ok(Some(Place { home, user: whose(owner) }))
    }

    async fn existing(&self, of: &HomeOf) -> Result<Place, FileError> {
        self.home(of, false).await?.ok_or(FileError::Absent)
    }

    async fn made(&self, of: &HomeOf) -> Result<Place, FileError> {
        self.home(of, true).await?.ok_or(FileError::Absent)
    }

    /// Who works in a home that is there; nothing if there is none.
    pub(super) async fn home_user(
        &self,
        of: &HomeOf,
    ) -> Result<Option<Option<(u32, u32)>>, FileError> {
        Ok(self.home(of, false).await?.map(|place| place.user))
    }

    /// Bytes that the home may still take.
    async fn room(&self, of: &HomeOf) -> Result<u64, FileError> {
        if of.disk_bytes == 0 {
            return Ok(u64::MAX);
        }
        let known = guard(&self.measured).get(&of.smartbox).and_then(|seen| {
            let age = seen.at.elapsed();
            (age < STALE && age < seen.took * 20).then_some(seen.used)
        });
        let used = match known {
            Some(used) => used,
            None => {
                let (home, at) = (self.dir(&of.smartbox).home(), Instant::now());
                let used = elsewhere(None, move || Ok(usage::measure(&home)?)).await?;
                let seen = Measured { at: Instant::now(), took: at.elapsed(), used };
                guard(&self.measured).insert(of.smartbox.clone(), seen);
                used
            }
        };
        Ok(of.disk_bytes.saturating_sub(used))
    }
}

/// Removes what uploads left that died with an earlier process, in every home.
pub(super) fn sweep(inner: &Inner) {
    for id in super::dirs::boxes(&inner.config.data_dir) {
        let swept = Home::open(&inner.dir(&id).home()).and_then(|home| {
            let user = (inner.level == Level::Full).then(|| home.owner()).transpose()?;
            let _user = FileUser::become_user(user)?;
            home.sweep()
        });
        match swept {
            Ok(0) | Err(Fault::Absent) => {}
            Ok(count) => tracing::info!(%id, count, "removed what was cut off in a home"),
            Err(error) => tracing::debug!(%id, %error, "a home cannot be tidied"),
        }
    }
}

impl Homes for Native {
    fn look(&self, of: HomeOf, path: FilePath) -> BoxFuture<'_, Result<FileEntry, FileError>> {
        Box::pin(async move {
            let path = Beneath::parse(&path.0).map_err(explain)?;
            let place = self.0.existing(&of).await?;
            place.work(move |home| home.look(&path)).await.map(entry)
        })
    }

    fn list(
        &self,
        of: HomeOf,
        path: FilePath,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> BoxFuture<'_, Result<FilePage, FileError>> {
        Box::pin(async move {
            let path = Beneath::parse(&path.0).map_err(explain)?;
            let Some(place) = self.0.home(&of, false).await? else {
                let root = path.names().is_empty();
                return if root { Ok(FilePage::default()) } else { Err(FileError::Absent) };
            };
            let page = place.work(move |home| home.list(&path, after.as_deref(), limit)).await?;
            let entries = page.entries.into_iter().map(entry).collect();
            Ok(FilePage { entries, next: page.next })
        })
    }

    fn open(
        &self,
        of: HomeOf,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Box<dyn OpenFile>, FileError>> {
        Box::pin(async move {
            let path = Beneath::named(&path.0, true).map_err(explain)?;
            let place = self.0.existing(&of).await?;
            let opened = place.work(move |home| home.read(&path)).await?;
            let entry = entry(opened.entry().clone());
            let file: Box<dyn OpenFile> = Box::new(Reading { opened: Arc::new(opened), entry });
            Ok(file)
        })
    }

    fn write(
        &self,
        of: HomeOf,
        path: FilePath,
        order: WriteOrder,
    ) -> BoxFuture<'_, Result<Box<dyn FileDraft>, FileError>> {
        Box::pin(async move {
            let path = Beneath::named(&path.0, true).map_err(explain)?;
            let place = self.0.made(&of).await?;
            let user = place.user;
            let room = self.0.room(&of).await?;
            let order = Order {
                mode: order.mode,
                parents: order.parents,
                condition: condition(order.condition),
                room,
            };
            let draft = place.work(move |home| home.write(path, order)).await?;
            let inner = self.0.clone();
            let draft: Box<dyn FileDraft> =
                Box::new(Writing { inner, of, user, draft: Some(draft), added: 0 });
            Ok(draft)
        })
    }

    fn change(
        &self,
        of: HomeOf,
        path: FilePath,
        change: FileChange,
    ) -> BoxFuture<'_, Result<Option<FileEntry>, FileError>> {
        Box::pin(async move {
            let path = Beneath::named(&path.0, false).map_err(explain)?;
            match change {
                FileChange::MakeDirectory { parents } => {
                    let place = self.0.made(&of).await?;
                    let made = place.work(move |home| home.make_directory(&path, parents));
                    made.await.map(entry).map(Some)
                }
                FileChange::Rename { to, replace } => {
                    let to = Beneath::named(&to.0, false).map_err(explain)?;
                    let place = self.0.existing(&of).await?;
                    let renamed = place.work(move |home| home.rename(&path, &to, replace));
                    renamed.await.map(entry).map(Some)
                }
                FileChange::Remove { recursive, condition: before } => {
                    let (place, before) = (self.0.existing(&of).await?, condition(before));
                    place.work(move |home| home.remove(&path, recursive, &before)).await?;
                    guard(&self.0.measured).remove(&of.smartbox);
                    Ok(None)
                }
            }
        })
    }
}

struct Reading {
    opened: Arc<Opened>,
    entry: FileEntry,
}

impl OpenFile for Reading {
    fn entry(&self) -> &FileEntry {
        &self.entry
    }

    fn pieces(&self, from: u64, len: u64) -> BoxStream<'static, Result<Bytes, FileError>> {
        let state = Some((self.opened.clone(), from, len));
        let pieces = stream::unfold(state, async |state| {
            let (opened, from, left) = state.filter(|(_, _, left)| *left > 0)?;
            let most = usize::try_from(left.min(PIECE)).unwrap_or(0);
            let file = opened.clone();
            match elsewhere(None, move || file.read_at(from, most)).await {
                Ok(bytes) if bytes.is_empty() => None,
                Ok(bytes) => {
                    let len = bytes.len() as u64;
                    Some((Ok(Bytes::from(bytes)), Some((opened, from + len, left - len))))
                }
                Err(error) => Some((Err(error), None)),
            }
        });
        pieces.boxed()
    }
}

struct Writing {
    inner: Arc<Inner>,
    of: HomeOf,
    user: Option<(u32, u32)>,
    draft: Option<Draft>,
    added: u64,
}

impl FileDraft for Writing {
    fn add(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), FileError>> {
        Box::pin(async move {
            let mut draft = self.draft.take().ok_or(FileError::Changed)?;
            self.added += bytes.len() as u64;
            let added = elsewhere(self.user, move || {
                draft.add(&bytes)?;
                Ok(draft)
            });
            self.draft = Some(added.await?);
            Ok(())
        })
    }

    fn place(mut self: Box<Self>) -> BoxFuture<'static, Result<FileEntry, FileError>> {
        Box::pin(async move {
            let draft = self.draft.take().ok_or(FileError::Changed)?;
            let placed = elsewhere(self.user, move || draft.place()).await?;
            if let Some(seen) = guard(&self.inner.measured).get_mut(&self.of.smartbox) {
                seen.used = seen.used.saturating_add(self.added);
            }
            Ok(entry(placed))
        })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // Removing a large file waits for the disk.
        if let (Some(draft), Ok(runtime)) =
            (self.draft.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn_blocking(move || drop(draft));
        }
    }
}
