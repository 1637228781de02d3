//! A storage of snapshots that copies files into memory, outlives control planes, and fails or stops for
//! ever at any of its steps when told to.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use smartbox_core::home::place::HomePlace;
use smartbox_core::home::{FileEntry, FileKind, FilePath};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::{
    Against, Change, Difference, Form, Kept, Meter, Moment, Pages, Pruned, Shelves, SnapshotError,
    Storage, TakeOrder, Taken, Takes, Verified,
};
use smartbox_core::snapshot::{Claim, Generation, RepositoryOf, Shelf, Snapshot, SnapshotId};
use smartbox_core::time::Timestamp;
use smartbox_core::{BoxFuture, BoxStream};
use tokio::sync::watch;

type Files = BTreeMap<PathBuf, (Vec<u8>, u32)>;

/// Something in the way of every snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rot {
    Hidden,
    /// A verification has noted it: the next snapshot puts it right.
    Found,
}

#[derive(Default)]
struct Repository {
    key: Vec<u8>,
    claims: BTreeMap<u64, Claim>,
    snapshots: Vec<(Snapshot, Files)>,
    record: Option<Bytes>,
    damaged: BTreeSet<SnapshotId>,
    rot: Option<Rot>,
}

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never goes on: as if the process were killed there.
    Hang,
    /// The storage does not answer.
    Away,
    /// It has no room.
    Full,
    /// It may only be read.
    Refused,
    /// It goes on when it is told to.
    Wait,
}

#[derive(Default)]
struct Faults {
    /// Every step that was passed, by name.
    passed: Vec<&'static str>,
    /// What happens at the n-th step from now, once.
    at: Option<(usize, Fault)>,
    /// What happens at every step of that name.
    always: BTreeMap<&'static str, Fault>,
}

pub struct Copies {
    repositories: Mutex<BTreeMap<SmartboxId, Repository>>,
    faults: Mutex<Faults>,
    /// How many hang.
    hung: watch::Sender<usize>,
    go: tokio::sync::Notify,
    /// How many take at this moment, and how many did at the most.
    taking: Mutex<(usize, usize)>,
    made: Mutex<u64>,
}

impl Copies {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            repositories: Mutex::default(),
            faults: Mutex::default(),
            hung: watch::Sender::new(0),
            go: tokio::sync::Notify::new(),
            taking: Mutex::default(),
            made: Mutex::default(),
        })
    }

    /// At the n-th step from now (0 is the next), once.
    pub fn at(&self, nth: usize, fault: Fault) {
        let mut faults = self.faults.lock().unwrap();
        faults.passed.clear();
        faults.at = Some((nth, fault));
    }

    /// At every step of that name.
    pub fn always(&self, name: &'static str, fault: Fault) {
        self.faults.lock().unwrap().always.insert(name, fault);
    }

    pub fn heal(&self) {
        let mut faults = self.faults.lock().unwrap();
        faults.at = None;
        faults.always.clear();
    }

    /// The steps that were passed since [`Self::at`] or the last call of this.
    pub fn passed(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.faults.lock().unwrap().passed)
    }

    /// Waits until so many hang or wait.
    pub async fn until_hung(&self, count: usize) {
        self.hung.subscribe().wait_for(|n| *n >= count).await.unwrap();
    }

    /// Lets one that waits go on.
    pub fn go_on(&self) {
        self.go.notify_one();
    }

    /// How many took at the same time, at the most.
    pub fn at_once(&self) -> usize {
        self.taking.lock().unwrap().1
    }

    /// The files of a snapshot, by path.
    pub fn text(&self, snapshot: &SnapshotId, path: &str) -> Option<String> {
        let all = self.all();
        let mut found = all.values().flat_map(|one| &one.snapshots);
        let (_, files) = found.find(|(one, _)| one.id == *snapshot)?;
        Some(String::from_utf8(files.get(Path::new(path))?.0.clone()).unwrap())
    }

    pub fn snapshots(&self, id: &SmartboxId) -> Vec<Snapshot> {
        let all = self.all();
        let found = all.get(id).into_iter().flat_map(|repository| &repository.snapshots);
        found.map(|(snapshot, _)| snapshot.clone()).collect()
    }

    /// A snapshot that some other owner took.
    pub fn add_claim(&self, id: &SmartboxId, generation: u64, fence: u64) {
        let claim = Claim { generation: Generation(generation), fence, at: Timestamp(0) };
        self.all().entry(id.clone()).or_default().claims.insert(generation, claim);
    }

    pub fn damage(&self, id: &SmartboxId, snapshot: &SnapshotId) {
        self.all().entry(id.clone()).or_default().damaged.insert(snapshot.clone());
    }

    /// Something in the repository is in the way of every snapshot, until one is taken after it was found.
    pub fn rot(&self, id: &SmartboxId) {
        self.all().entry(id.clone()).or_default().rot = Some(Rot::Hidden);
    }

    pub fn repair(&self, id: &SmartboxId) {
        self.all().entry(id.clone()).or_default().damaged.clear();
    }

    /// What lies beside a repository is no longer what was put there.
    pub fn garble_record(&self, id: &SmartboxId) {
        self.all().entry(id.clone()).or_default().record = Some("garbled".into());
    }

    /// How many boxes something was kept of.
    pub fn boxes_kept(&self) -> usize {
        self.all().len()
    }

    pub fn lose_snapshots(&self, id: &SmartboxId) {
        self.all().entry(id.clone()).or_default().snapshots.clear();
    }

    pub fn has(&self, id: &SmartboxId) -> bool {
        self.all().contains_key(id)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SmartboxId, Repository>> {
        self.repositories.lock().unwrap()
    }

    async fn step(&self, name: &'static str) -> Result<(), SnapshotError> {
        tokio::task::yield_now().await;
        let fault = {
            let mut faults = self.faults.lock().unwrap();
            faults.passed.push(name);
            let nth = faults.passed.len() - 1;
            match faults.at {
                Some((at, fault)) if at == nth => Some(fault),
                _ => faults.always.get(name).copied(),
            }
        };
        match fault {
            None => Ok(()),
            Some(Fault::Hang) => {
                self.hung.send_modify(|n| *n += 1);
                std::future::pending().await
            }
            Some(Fault::Wait) => {
                self.hung.send_modify(|n| *n += 1);
                self.go.notified().await;
                Ok(())
            }
            Some(Fault::Away) => Err(SnapshotError::Away("told to be away".into())),
            Some(Fault::Full) => Err(SnapshotError::Full),
            Some(Fault::Refused) => Err(SnapshotError::Refused("told to refuse".into())),
        }
    }

    fn within<T>(
        &self,
        of: &RepositoryOf,
        work: impl FnOnce(&mut Repository) -> Result<T, SnapshotError>,
    ) -> Result<T, SnapshotError> {
        let mut all = self.all();
        let missing = SnapshotError::Missing { what: "repository" };
        let repository = all.get_mut(&of.smartbox).filter(|one| !one.key.is_empty());
        let repository = repository.ok_or(missing)?;
        if repository.key != of.key.expose() {
            return Err(SnapshotError::Corrupt { what: "repository", source: "its key".into() });
        }
        work(repository)
    }

    fn files(&self, of: &RepositoryOf, id: &SnapshotId) -> Result<Files, SnapshotError> {
        self.within(of, |repository| {
            let found = repository.snapshots.iter().find(|(snapshot, _)| snapshot.id == *id);
            let (_, files) = found.ok_or(SnapshotError::Missing { what: "snapshot" })?;
            Ok(files.clone())
        })
    }
}

/// Counts one that takes.
struct Taking<'a>(&'a Mutex<(usize, usize)>);

impl<'a> Taking<'a> {
    fn begin(of: &'a Mutex<(usize, usize)>) -> Self {
        let mut taking = of.lock().unwrap();
        taking.0 += 1;
        taking.1 = taking.1.max(taking.0);
        Self(of)
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

fn broken(error: std::io::Error) -> SnapshotError {
    SnapshotError::Broken { doing: "copying", source: error.into() }
}

/// Everything beneath a directory; directories have no bytes and a path that ends in a slash.
fn read(dir: &Path, at: &Path, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir.join(at))? {
        let entry = entry?;
        let path = at.join(entry.file_name());
        let meta = entry.metadata()?;
        if meta.is_dir() {
            read(dir, &path, files)?;
        } else {
            let bytes = std::fs::read(entry.path())?;
            files.insert(path, (bytes, meta.permissions().mode() & 0o777));
        }
    }
    Ok(())
}

fn home(dir: &Path) -> Result<Files, SnapshotError> {
    let mut files = Files::new();
    read(dir, Path::new(""), &mut files).map_err(broken)?;
    Ok(files)
}

impl Takes for Copies {
    fn create(&self, of: RepositoryOf) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            self.step("create").await?;
            let mut all = self.all();
            let repository = all.entry(of.smartbox.clone()).or_default();
            if !repository.key.is_empty() {
                return Err(SnapshotError::Exists { what: "repository" });
            }
            repository.key = of.key.expose().to_vec();
            Ok(())
        })
    }

    fn changed(
        &self,
        place: HomePlace,
        _: Vec<String>,
        since: SnapshotId,
    ) -> BoxFuture<'_, Result<bool, SnapshotError>> {
        Box::pin(async move {
            let now = home(&place.home)?;
            let all = self.all();
            let mut before = all.values().flat_map(|repository| &repository.snapshots);
            Ok(!before.any(|(snapshot, files)| snapshot.id == since && *files == now))
        })
    }

    fn take(
        &self,
        of: RepositoryOf,
        order: TakeOrder,
    ) -> BoxFuture<'_, Result<Taken, SnapshotError>> {
        Box::pin(async move {
            let _taking = Taking::begin(&self.taking);
            self.step("take: begin").await?;
            let held = |source| SnapshotError::Broken { doing: "holding still", source };
            let files = match &order.moment {
                Moment::Held(still) => {
                    let copied = match still.hold().await {
                        Ok(()) => {
                            self.step("take: held").await.and_then(|()| home(&order.home.home))
                        }
                        Err(error) => Err(held(error)),
                    };
                    still.release().await.map_err(held)?;
                    copied?
                }
                Moment::AtRest | Moment::Live => home(&order.home.home)?,
            };
            self.step("take: write").await?;
            let made = {
                let mut made = self.made.lock().unwrap();
                *made += 1;
                *made
            };
            let bytes = files.values().map(|(bytes, _)| bytes.len() as u64).sum();
            let snapshot = Snapshot {
                id: format!("{made:064x}").parse().unwrap(),
                claim: order.claim,
                taken: order.at,
                files: files.len() as u64,
                bytes,
            };
            let kept = snapshot.clone();
            self.within(&of, |repository| {
                if repository.rot == Some(Rot::Hidden) {
                    return Err(SnapshotError::Corrupt { what: "a pack", source: "rotten".into() });
                }
                repository.rot = None;
                repository.snapshots.push((kept, files));
                Ok(())
            })?;
            if let Some(meter) = &order.meter {
                meter(bytes);
            }
            self.step("take: written").await?;
            let held = Duration::from_millis(1);
            Ok(Taken { snapshot, left_out: 0, added: bytes, databases: 0, held })
        })
    }

    fn claim(&self, of: RepositoryOf, claim: Claim) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            self.step("claim").await?;
            self.within(&of, |repository| {
                if repository.claims.contains_key(&claim.generation.0) {
                    return Err(SnapshotError::Exists { what: "claim" });
                }
                repository.claims.insert(claim.generation.0, claim);
                Ok(())
            })?;
            self.step("claimed").await
        })
    }

    fn prune(
        &self,
        of: RepositoryOf,
        remove: Vec<SnapshotId>,
        before: Option<Generation>,
    ) -> BoxFuture<'_, Result<Pruned, SnapshotError>> {
        Box::pin(async move {
            self.step("prune").await?;
            let mut pruned = Pruned::default();
            for id in remove {
                self.within(&of, |repository| {
                    let count = repository.snapshots.len();
                    repository.snapshots.retain(|(snapshot, _)| snapshot.id != id);
                    pruned.snapshots += (count - repository.snapshots.len()) as u64;
                    Ok(())
                })?;
                self.step("pruned one").await?;
            }
            self.within(&of, |repository| {
                repository.claims.retain(|number, _| before.is_none_or(|one| *number >= one.0));
                Ok(())
            })?;
            self.step("pruned").await?;
            Ok(pruned)
        })
    }

    fn destroy(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            self.step("destroy").await?;
            self.all().remove(&smartbox);
            self.step("destroyed").await
        })
    }

    fn put_record(
        &self,
        smartbox: SmartboxId,
        sealed: Bytes,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            self.step("put record").await?;
            self.all().entry(smartbox).or_default().record = Some(sealed);
            Ok(())
        })
    }

    fn add_password(
        &self,
        _: RepositoryOf,
        _: Secret<String>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async { Ok(()) })
    }
}

impl Shelves for Copies {
    fn list(&self, of: RepositoryOf) -> BoxFuture<'_, Result<Shelf, SnapshotError>> {
        Box::pin(async move {
            self.step("list").await?;
            let all = self.within(&of, |repository| {
                Ok(repository.snapshots.iter().map(|(one, _)| one.clone()).collect::<Vec<_>>())
            })?;
            Ok(if all.is_empty() { Shelf::NoneYet } else { Shelf::Some(all) })
        })
    }

    fn claims(
        &self,
        of: RepositoryOf,
        after: Option<Generation>,
    ) -> BoxFuture<'_, Result<Vec<Claim>, SnapshotError>> {
        Box::pin(async move {
            self.step("claims").await?;
            let all = self.all();
            let claims = all.get(&of.smartbox).into_iter().flat_map(|one| one.claims.values());
            let after = after.map_or(0, |after| after.0);
            Ok(claims.filter(|claim| claim.generation.0 > after).copied().collect())
        })
    }

    fn restore(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        into: PathBuf,
        _: Option<Meter>,
    ) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(async move {
            self.step("restore: begin").await?;
            if std::fs::read_dir(&into).map_err(broken)?.next().is_some() {
                return Err(SnapshotError::Occupied);
            }
            for (path, (bytes, mode)) in self.files(&of, &id)? {
                let at = into.join(path);
                std::fs::create_dir_all(at.parent().unwrap()).map_err(broken)?;
                std::fs::write(&at, bytes).map_err(broken)?;
                std::fs::set_permissions(&at, PermissionsExt::from_mode(mode)).map_err(broken)?;
                self.step("restore: a file").await?;
            }
            self.step("restore: done").await
        })
    }

    fn verify(
        &self,
        of: RepositoryOf,
        id: Option<SnapshotId>,
    ) -> BoxFuture<'_, Result<Verified, SnapshotError>> {
        Box::pin(async move {
            self.step("verify").await?;
            self.within(&of, |repository| {
                let wanted = |one: &&SnapshotId| id.as_ref().is_none_or(|id| id == *one);
                if repository.damaged.iter().any(|one| wanted(&one)) {
                    return Err(SnapshotError::Corrupt { what: "a pack", source: "told".into() });
                }
                if repository.rot.is_some() {
                    repository.rot = Some(Rot::Found);
                    return Err(SnapshotError::Corrupt { what: "a pack", source: "rotten".into() });
                }
                let ids = repository.snapshots.iter().map(|(snapshot, _)| &snapshot.id);
                Ok(Verified { snapshots: ids.filter(wanted).count() as u64 })
            })
        })
    }
}

impl Pages for Copies {
    fn look(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
    ) -> BoxFuture<'_, Result<Vec<Kept>, SnapshotError>> {
        Box::pin(async move {
            let within = String::from_utf8(path.0).unwrap();
            let files = self.files(&of, &id)?;
            let kept = files.iter().filter(|(at, _)| at.starts_with(&within)).map(|(at, file)| {
                let entry = FileEntry {
                    name: at.file_name().unwrap().to_str().unwrap().into(),
                    kind: FileKind::File,
                    size: file.0.len() as u64,
                    mode: file.1,
                    modified: Timestamp(0),
                    tag: String::new(),
                    target: None,
                };
                Kept { path: at.to_str().unwrap().into(), entry }
            });
            Ok(kept.collect())
        })
    }

    /// As a tar archive its names begin with the last one of the path.
    fn read(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        path: FilePath,
        form: Form,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        Box::pin(async move {
            let within = PathBuf::from(String::from_utf8(path.0).unwrap());
            let files = self.files(&of, &id)?;
            let missing = SnapshotError::Missing { what: "file" };
            let bytes = match form {
                Form::File => files.get(&within).ok_or(missing)?.0.clone(),
                Form::Tar => {
                    let mut tar = tar::Builder::new(Vec::new());
                    let parent = within.parent().unwrap_or(Path::new("")).to_owned();
                    let mut any = false;
                    for (at, (bytes, mode)) in
                        files.iter().filter(|(at, _)| at.starts_with(&within))
                    {
                        any = true;
                        let mut head = tar::Header::new_ustar();
                        head.set_size(bytes.len() as u64);
                        head.set_mode(*mode);
                        let name = at.strip_prefix(&parent).unwrap();
                        tar.append_data(&mut head, name, &bytes[..]).map_err(broken)?;
                    }
                    if !any {
                        return Err(missing);
                    }
                    tar.into_inner().map_err(broken)?
                }
            };
            Ok(stream::iter([Ok(Bytes::from(bytes))]).boxed())
        })
    }

    fn diff(
        &self,
        of: RepositoryOf,
        id: SnapshotId,
        against: Against,
        limit: usize,
    ) -> BoxFuture<'_, Result<Difference, SnapshotError>> {
        Box::pin(async move {
            let before = self.files(&of, &id)?;
            let after = match against {
                Against::Snapshot(other) => self.files(&of, &other)?,
                Against::Home(place, _) => home(&place.home)?,
            };
            let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let changes = paths.into_iter().filter_map(|path| {
                let change = match (before.get(path), after.get(path)) {
                    (None, _) => Change::Added,
                    (_, None) => Change::Removed,
                    (Some(a), Some(b)) if a.0 != b.0 => Change::Changed,
                    (Some(a), Some(b)) if a.1 != b.1 => Change::Mode,
                    _ => return None,
                };
                Some((FilePath::from(path.to_str().unwrap()), change))
            });
            let mut changes: Vec<_> = changes.collect();
            let total = changes.len() as u64;
            changes.truncate(limit);
            Ok(Difference { changes, total })
        })
    }
}

impl Storage for Copies {
    fn size(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<u64, SnapshotError>> {
        Box::pin(async move {
            let sum = self.snapshots(&smartbox).iter().map(|snapshot| snapshot.bytes).sum();
            Ok(sum)
        })
    }

    fn boxes(&self) -> BoxFuture<'_, Result<Vec<SmartboxId>, SnapshotError>> {
        Box::pin(async move { Ok(self.all().keys().cloned().collect()) })
    }

    fn record(&self, smartbox: SmartboxId) -> BoxFuture<'_, Result<Option<Bytes>, SnapshotError>> {
        Box::pin(async move {
            self.step("record").await?;
            Ok(self.all().get(&smartbox).and_then(|one| one.record.clone()))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), SnapshotError>> {
        Box::pin(self.step("probe"))
    }

    fn whereabouts(&self) -> String {
        "memory".into()
    }
}
