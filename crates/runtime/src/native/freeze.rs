//! Freezing and thawing the engine; init stays awake.
//!
//! By the cgroup freezer; where there is none, by SIGSTOP and SIGCONT to every process beneath
//! init, which an engine's own children could undo but have no reason to.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::RuntimeError;

use super::error::{blocking, broken, broken_by};
use super::remove::until;
use super::touched::Touched;
use super::{Inner, guard, page_out, peer, procs, swap};
use crate::nest::spec::Level;

/// Freezing takes a millisecond unless a process is deep in a system call.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn freeze(
    inner: &Arc<Inner>,
    id: &SmartboxId,
    page_out: bool,
) -> Result<(), RuntimeError> {
    set(inner, id, true).await?;
    // Asked anew each time: swap comes and goes.
    if page_out
        && inner.level == Level::Full
        && swap::allowed(inner.config.allow_plain_swap).is_ok()
    {
        let pids = pids(inner, id).await?;
        let touched = blocking("paging the box out", move || {
            let touched = Touched::read(&pids);
            page_out::page_out(&pids);
            Ok(touched)
        })
        .await?;
        note(inner, id, touched);
    }
    Ok(())
}

/// Keeps what it touched. A short look at it must not make what a turn needs forgotten.
fn note(inner: &Inner, id: &SmartboxId, touched: Option<Touched>) {
    let Some(touched) = touched else { return };
    let mut all = guard(&inner.touched);
    let before = all.get(id).map_or(0, |touched| touched.bytes());
    if touched.bytes() >= before / 2 {
        all.insert(id.clone(), Arc::new(touched));
    }
}

pub(super) async fn thaw(inner: &Inner, id: &SmartboxId) -> Result<(), RuntimeError> {
    set(inner, id, false).await?;
    if let Some(touched) = guard(&inner.touched).get(id).cloned() {
        // Beside the engine, which has begun: it waits for what it needs first, and finds the rest.
        tokio::task::spawn_blocking(move || touched.ask());
    }
    Ok(())
}

async fn init(inner: &Inner, id: &SmartboxId) -> Result<i32, RuntimeError> {
    inner.fence(id)?;
    let found = peer::find(&inner.dir(id)).await;
    let found = found.map_err(|e| broken("looking for the sandbox", e))?;
    found.map(|process| process.pid).ok_or_else(|| RuntimeError::Absent(id.clone()))
}

async fn pids(inner: &Inner, id: &SmartboxId) -> Result<Vec<i32>, RuntimeError> {
    let init = init(inner, id).await?;
    Ok(inner.engine_pids(id, init))
}

/// Sets it and waits until it is so.
pub(super) async fn set(inner: &Inner, id: &SmartboxId, frozen: bool) -> Result<(), RuntimeError> {
    let doing = if frozen { "freezing the engine" } else { "thawing the engine" };
    let init = init(inner, id).await?;
    let settled = match &inner.cgroups {
        Some(cgroups) if cgroups.freezer().is_some() => {
            cgroups.freeze(id, frozen).map_err(|e| broken(doing, e))?;
            until(DEADLINE, || cgroups.is_settled(id, frozen).then_some(())).await
        }
        _ => until(DEADLINE, || by_signals(init, frozen).then_some(())).await,
    };
    match settled {
        Some(()) => Ok(()),
        None => {
            // Half frozen is worse than not frozen.
            if let Some(cgroups) = inner.cgroups.as_ref().filter(|_| frozen) {
                let _ = cgroups.freeze(id, false);
            }
            Err(broken_by(doing, "its processes do not follow"))
        }
    }
}

/// Signals everyone who has not followed yet; true once all have.
fn by_signals(init: i32, frozen: bool) -> bool {
    let all = procs::descendants(init);
    let lagging: Vec<i32> = all
        .iter()
        .filter(|(_, state)| !matches!(state, 'Z' | 'X') && (*state == 'T') != frozen)
        .map(|(pid, _)| *pid)
        .collect();
    let signal = if frozen { Signal::STOP } else { Signal::CONT };
    for pid in &lagging {
        procs::signal_pid(*pid, signal);
    }
    lagging.is_empty()
}

/// Whether these are stopped, all of them, and there is one at least.
pub(super) fn are_stopped(processes: &[(i32, char)]) -> bool {
    let mut alive = processes.iter().filter(|(_, state)| !matches!(state, 'Z' | 'X')).peekable();
    alive.peek().is_some() && alive.all(|(_, state)| *state == 'T')
}
