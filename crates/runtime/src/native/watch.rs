//! What is looked after while a box is up: init's own files are cut, its processor quota applied once it has
//! booted, its home measured.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use smartbox_core::id::SmartboxId;
use smartbox_core::machine::HomeUse;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{Limits, SandboxSpec};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::disk::{Disk, Verdict};
use super::error::{blocking, broken_by};
use super::turns::Turns;
use super::{Inner, dirs, freeze, guard, helper, log, peer, procs, unboxed, usage};
use crate::nest::spec::{Level, Limit, Order};

/// How often one looks.
const EVERY: Duration = Duration::from_millis(250);
/// A box boots with twice its processors for so long.
const BOOT: Duration = Duration::from_secs(60);
/// Homes that are walked through at the same time.
const WALKS: usize = 8;
/// Init's own files are cut beyond this.
const SMALL: u64 = 1 << 20;

/// One box under watch.
pub(super) struct Watched {
    limits: Limits,
    host_uid: u32,
    /// When it was started by us; `None` once its real quota is applied.
    booting: Option<Instant>,
    disk: Disk,
}

impl Watched {
    /// What its home held when it was measured last.
    pub(super) fn home(&self) -> Option<HomeUse> {
        self.disk.used().map(|used| HomeUse { used, limit: self.limits.disk_bytes })
    }
}

/// The processor quota of a box that boots, in thousandths.
pub(super) fn boot_quota(millis: u32) -> u32 {
    if millis == 0 { 0 } else { millis.saturating_mul(2).max(2000) }
}

/// Begins to watch; ends when the driver is gone.
pub(super) fn begin(inner: &Arc<Inner>) {
    for id in dirs::boxes(&inner.config.data_dir) {
        if let Some(meta) = inner.dir(&id).read_meta() {
            let quota = Some(meta.limits.cpu_millis).filter(|_| inner.cgroups.is_some());
            // An adopted box has booted long ago; it may be gone, too.
            let _ = quota.map(|millis| inner.cgroups.as_ref().map(|c| c.set_cpu(&id, millis)));
            let watched = Watched {
                limits: meta.limits,
                host_uid: meta.host_uid,
                booting: None,
                disk: Disk::new(meta.limits.disk_bytes),
            };
            guard(&inner.watch).insert(id, watched);
        }
    }
    tokio::spawn(run(Arc::downgrade(inner)));
}

/// Watches a box that was just started.
pub(super) fn begin_box(inner: &Inner, spec: &SandboxSpec) {
    let watched = Watched {
        limits: spec.limits,
        host_uid: inner.owner(spec.slot).map_or(0, |(uid, _)| uid),
        booting: Some(Instant::now()),
        disk: Disk::new(spec.limits.disk_bytes),
    };
    guard(&inner.watch).insert(spec.id.clone(), watched);
}

async fn run(inner: Weak<Inner>) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut turns, walks) = (Turns::default(), Arc::new(Semaphore::new(WALKS)));
    loop {
        tick.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let ids: Vec<SmartboxId> = guard(&inner.watch).keys().cloned().collect();
        for id in ids {
            let (inner, walks, of) = (inner.clone(), walks.clone(), id.clone());
            turns.begin(&id, async move {
                if let Err(error) = look(&inner, &of, &walks).await {
                    tracing::warn!(id = %of, %error, "looking after a box");
                }
            });
        }
    }
}

async fn look(inner: &Arc<Inner>, id: &SmartboxId, walks: &Semaphore) -> Result<(), RuntimeError> {
    if inner.level == Level::None && unboxed::end_orphans(inner, id).await? {
        return Ok(());
    }
    let dir = inner.dir(id);
    let files = ["exits.jsonl", "init.log"].map(|name| dir.log(name));
    blocking("cutting init's files", move || {
        files.iter().try_for_each(|file| log::cut(file, SMALL))
    })
    .await?;
    apply_quota(inner, id);
    let home = dir.home();
    let free = match rustix::fs::statvfs(&home) {
        Ok(stat) => stat.f_bfree.saturating_mul(stat.f_frsize),
        Err(_) => return Ok(()),
    };
    let now = Instant::now();
    if !guard(&inner.watch).get(id).is_some_and(|w| w.disk.is_due(now, free)) {
        return keep_shut(inner, id).await;
    }
    let walk = walks.acquire().await;
    let began = Instant::now();
    let used = blocking("measuring a home", move || usage::measure(&home)).await?;
    drop(walk);
    let verdict = match guard(&inner.watch).get_mut(id) {
        Some(watched) => watched.disk.measured(Instant::now(), began.elapsed(), free, used),
        None => return Ok(()),
    };
    match verdict {
        Verdict::Fine => keep_shut(inner, id).await,
        Verdict::Shut => {
            tracing::warn!(%id, used, "a home has reached its limit: its files may not grow");
            keep_shut(inner, id).await
        }
        Verdict::Open => limit(inner, id, None).await,
        Verdict::Kill => {
            tracing::warn!(%id, used, "a home grows beyond its limit: its writers are killed");
            kill(inner, id).await
        }
    }
}

fn apply_quota(inner: &Inner, id: &SmartboxId) {
    let due = guard(&inner.watch).get_mut(id).and_then(|watched| {
        let booted = watched.booting.is_some_and(|began| began.elapsed() >= BOOT);
        booted.then(|| {
            watched.booting = None;
            watched.limits.cpu_millis
        })
    });
    if let (Some(millis), Some(cgroups)) = (due.filter(|m| *m > 0), &inner.cgroups)
        && let Err(error) = cgroups.set_cpu(id, millis)
    {
        tracing::warn!(%id, %error, "applying the processor quota");
    }
}

/// Shuts those processes that have begun since the home was shut.
async fn keep_shut(inner: &Arc<Inner>, id: &SmartboxId) -> Result<(), RuntimeError> {
    if guard(&inner.watch).get(id).is_some_and(|watched| watched.disk.shut) {
        limit(inner, id, Some(0)).await
    } else {
        Ok(())
    }
}

/// Lets the engine's processes write files of so many bytes, all of them at one instant.
async fn limit(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    bytes: Option<u64>,
) -> Result<(), RuntimeError> {
    let lock = inner.lock(id);
    // Whoever holds it may be freezing or removing the box; the next look will do.
    let Ok(_one) = lock.try_lock() else { return Ok(()) };
    let Some(pids) = unlike(inner, id, bytes).await? else { return Ok(()) };
    if pids.is_empty() {
        return Ok(());
    }
    let was_frozen = inner.cgroups.as_ref().is_some_and(|cgroups| cgroups.wants_frozen(id));
    if !was_frozen {
        freeze::set(inner, id, true).await?;
    }
    let applied = apply(inner, id, bytes).await;
    if !was_frozen {
        freeze::set(inner, id, false).await?;
    }
    applied
}

async fn apply(inner: &Inner, id: &SmartboxId, bytes: Option<u64>) -> Result<(), RuntimeError> {
    let pids = unlike(inner, id, bytes).await?.unwrap_or_default();
    let uid = guard(&inner.watch).get(id).map_or(0, |watched| watched.host_uid);
    let become_uid = (inner.level == Level::Full).then_some((uid, uid));
    let order = Order::Limit(Limit { become_uid, pids, bytes });
    match helper::run(&inner.config.helper, &order).await?.fault {
        None => Ok(()),
        Some(fault) => Err(RuntimeError::Broken { doing: "limiting a box", source: fault.into() }),
    }
}

/// The engine's processes whose soft limit is not this; `None` if the box is gone.
async fn unlike(
    inner: &Inner,
    id: &SmartboxId,
    bytes: Option<u64>,
) -> Result<Option<Vec<i32>>, RuntimeError> {
    let found = peer::find(&inner.dir(id)).await;
    let found = found.map_err(|e| super::broken("looking for the sandbox", e))?;
    let Some(init) = found else { return Ok(None) };
    let mut pids = inner.engine_pids(id, init.pid);
    pids.retain(|pid| procs::file_limit(*pid).is_some_and(|soft| soft != bytes));
    Ok(Some(pids))
}

async fn kill(inner: &Inner, id: &SmartboxId) -> Result<(), RuntimeError> {
    let found = peer::find(&inner.dir(id)).await;
    let Ok(Some(init)) = found else {
        return Err(broken_by("killing a box's writers", "init is not there"));
    };
    match &inner.cgroups {
        Some(cgroups) => cgroups.kill(id, false),
        None => procs::descendants(init.pid).iter().for_each(|(pid, _)| procs::kill_pid(*pid)),
    }
    Ok(())
}
