//! Making a sandbox, once per fence.

use std::sync::Arc;
use std::time::{Duration, Instant};

use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{DNS_PORT, SandboxSpec};
use smartbox_link::inherit::Inherit;
use smartbox_link::wire::Status;

use super::dirs::{BoxDir, Meta};
use super::error::{blocking, broken, broken_by};
use super::peer::{self, Process};
use super::{Inner, guard, helper, lock, procs, remove, unboxed, watch};
use crate::nest::spec::{Level, Make, Order};

/// How long init may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(20);
/// How long an init that broke its connection may take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long an init that is there may take before it counts as dead.
const ANSWER: Duration = Duration::from_secs(10);

pub(super) async fn start(inner: &Arc<Inner>, spec: &SandboxSpec) -> Result<(), RuntimeError> {
    let lock = inner.lock(&spec.id);
    let _one = lock.lock().await;
    let dir = inner.dir(&spec.id);
    let owner = inner.owner(spec.slot);
    let made = dir.clone();
    blocking("preparing the box's directory", move || made.make(owner)).await?;
    let _across = lock::across(&dir).await?;
    if is_kept(&dir, spec).await? {
        remember(inner, spec);
        return Ok(());
    }
    remove::remove(inner, &spec.id).await?;
    if inner.level == Level::None {
        unboxed::free(&own_listeners(spec))?;
    }
    match make(inner, &dir, spec).await {
        Ok(()) => {
            remember(inner, spec);
            watch::begin_box(inner, spec);
            Ok(())
        }
        Err(e) => {
            // What it was is worth more to the caller than how tidying went.
            let _ = remove::remove(inner, &spec.id).await;
            // Without its helper a child ends by itself; nobody may know its number.
            let _ = remove::until(LAST_WORDS, || procs::reap_lost().then_some(())).await;
            Err(e)
        }
    }
}

fn remember(inner: &Inner, spec: &SandboxSpec) {
    guard(&inner.known).insert(spec.id.clone(), spec.fence);
}

/// Whether the sandbox that is asked for is there already.
async fn is_kept(dir: &BoxDir, spec: &SandboxSpec) -> Result<bool, RuntimeError> {
    let found = dir.read_meta();
    let fenced =
        |theirs| Err(RuntimeError::Fenced { id: spec.id.clone(), ours: spec.fence, theirs });
    let there = peer::find(dir).await.map_err(|e| broken("looking for the sandbox", e))?;
    if there.is_none() {
        return Ok(false);
    }
    if let Some(theirs) = found.map(|meta| meta.fence).filter(|theirs| *theirs > spec.fence) {
        return fenced(theirs);
    }
    match peer::status(dir, spec.fence, ANSWER).await {
        Ok(status) if status.id != spec.id.as_str() => Ok(false),
        Ok(status) if status.fence > spec.fence => fenced(status.fence),
        Ok(status) => Ok(status.fence == spec.fence),
        // Init has heard a higher fence than ours from somebody.
        Err(smartbox_link::LinkError::Fenced) => fenced(spec.fence.saturating_add(1)),
        Err(_) => Ok(false),
    }
}

async fn make(inner: &Arc<Inner>, dir: &BoxDir, spec: &SandboxSpec) -> Result<(), RuntimeError> {
    let doing = "preparing the sandbox";
    let owner = inner.owner(spec.slot);
    let (uid, gid) = owner.unwrap_or_else(|| {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    });
    let meta = Meta { id: spec.id.clone(), fence: spec.fence, host_uid: uid, limits: spec.limits };
    dir.write_meta(&meta).map_err(|e| broken(doing, e))?;
    if let Some(cgroups) = &inner.cgroups {
        cgroups.make(&spec.id, owner).map_err(|e| broken("making the box's cgroups", e))?;
    }
    let order = Order::Make(Box::new(order(inner, dir, spec, uid, gid)));
    let began = Instant::now();
    let reply = helper::run(&inner.config.helper, &order).await?;
    let process = reply.pid.map(Process::open).transpose();
    if let Some(fault) = reply.fault {
        if let Ok(Some(process)) = process {
            process.kill();
            process.ended().await;
            process.reap();
        }
        return Err(helper::explain(fault));
    }
    let process = process
        .and_then(|process| process.ok_or_else(|| std::io::ErrorKind::InvalidData.into()))
        .map_err(|e| broken("meeting the new sandbox", e))?;
    let dead = || Err(broken_by("starting init", last_words(dir)));
    let mut answered = tokio::select! {
        answered = first_answer(dir, spec) => answered,
        () = process.ended() => dead(),
    };
    // A connection that breaks is how the end of init shows first.
    if answered.is_err() && tokio::time::timeout(LAST_WORDS, process.ended()).await.is_ok() {
        answered = dead();
    }
    // It is our child; once it ends somebody must take its status.
    tokio::spawn(async move {
        process.ended().await;
        process.reap();
    });
    tracing::debug!(id = %spec.id, fence = spec.fence, took = ?began.elapsed(), "sandbox made");
    answered.map(drop)
}

/// What init wrote before it died.
fn last_words(dir: &BoxDir) -> String {
    let text = std::fs::read(dir.log("init.log")).unwrap_or_default();
    let tail = &text[text.len().saturating_sub(400)..];
    format!("init ended at once; it said: {:?}", String::from_utf8_lossy(tail).trim())
}

async fn first_answer(dir: &BoxDir, spec: &SandboxSpec) -> Result<Status, RuntimeError> {
    let doing = "waiting for init's first answer";
    match peer::status(dir, spec.fence, FIRST_ANSWER).await {
        Ok(status) if status.id == spec.id.as_str() && status.fence == spec.fence => Ok(status),
        Ok(_) => Err(broken_by(doing, "it is another box's")),
        Err(e) => Err(RuntimeError::Broken { doing, source: Box::new(e) }),
    }
}

/// Those that init binds: the box's own user may not bind that of the name service.
fn own_listeners(spec: &SandboxSpec) -> Vec<u16> {
    spec.listeners.iter().copied().filter(|port| *port != DNS_PORT).collect()
}

fn order(inner: &Inner, dir: &BoxDir, spec: &SandboxSpec, uid: u32, gid: u32) -> Make {
    let cgroups = inner.cgroups.as_ref();
    let counted = cgroups.is_some_and(|cgroups| cgroups.has("pids"));
    let home = match inner.level {
        Level::None => dir.home().to_string_lossy().into_owned(),
        _ => smartbox_core::sandbox::HOME_DIR.to_owned(),
    };
    let places = match inner.level {
        Level::None => unboxed::places(&home, &spec.engine_dir),
        _ => Vec::new(),
    };
    Make {
        level: inner.level,
        host_uid: uid,
        host_gid: gid,
        init: inner.init.clone(),
        stage: inner.config.data_dir.join("stage"),
        box_dir: dir.path().to_owned(),
        engine_dir: spec.engine_dir.clone(),
        names: inner.level != Level::None && spec.listeners.contains(&DNS_PORT),
        inherit: Inherit {
            id: spec.id.as_str().to_owned(),
            fence: spec.fence,
            home,
            places,
            listeners: own_listeners(spec),
            join_fds: Vec::new(),
            track_fd: None,
            oom_fd: None,
            log_cap: inner.config.log_cap,
            lease_fd: None,
            names_fds: None,
            file_bytes: spec.limits.disk_bytes,
        },
        cgroups: cgroups
            .map(|cgroups| {
                let boot = watch::boot_quota(spec.limits.cpu_millis);
                cgroups.order(&spec.id, &spec.limits, boot)
            })
            .unwrap_or_default(),
        lease: inner.config.lease.clone(),
        tmp_bytes: match spec.limits.memory_bytes {
            0 => inner.config.tmp_bytes,
            memory => inner.config.tmp_bytes.min(memory / 4),
        },
        nproc: (!counted && spec.limits.pids > 0 && inner.level != Level::None)
            .then(|| u64::from(spec.limits.pids)),
    }
}
