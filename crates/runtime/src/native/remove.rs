//! Ending a sandbox, whole: init, the engine, executions, cgroups, sockets. The home stays.

use std::time::Duration;

use rustix::process::Signal;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::RuntimeError;

use super::error::{broken, broken_by};
use super::peer::Process;
use super::{Inner, guard, peer, procs, unboxed};
use crate::nest::spec::Level;

/// Killing is quick unless the machine is on its knees.
const DEADLINE: Duration = Duration::from_secs(30);

/// Ends whatever is there, half-made sandboxes too. The caller holds the box's lock.
pub(super) async fn remove(inner: &Inner, id: &SmartboxId) -> Result<(), RuntimeError> {
    let doing = "ending the sandbox";
    let dir = inner.dir(id);
    let process = peer::find(&dir).await.map_err(|e| broken(doing, e))?;
    if inner.level == Level::None && inner.cgroups.is_none() {
        end_unboxed(id, process.as_ref()).await?;
    }
    if let Some(process) = &process {
        process.kill();
    }
    if let Some(cgroups) = &inner.cgroups {
        let empty = until(DEADLINE, || {
            if !cgroups.pids(id).is_empty() {
                cgroups.kill(id, true);
            }
            cgroups.remove(id).then_some(())
        });
        if empty.await.is_none() {
            return Err(broken_by(doing, "its processes do not die"));
        }
    }
    if let Some(process) = &process {
        tokio::time::timeout(DEADLINE, process.ended())
            .await
            .map_err(|_| broken_by(doing, "init does not die"))?;
        process.reap();
    }
    dir.clear();
    guard(&inner.watch).remove(id);
    guard(&inner.touched).remove(id);
    Ok(())
}

/// Ends what has neither process namespace nor cgroup to die with: before init, by which it is found.
async fn end_unboxed(id: &SmartboxId, init: Option<&Process>) -> Result<(), RuntimeError> {
    let init = init.map(|process| process.pid);
    // Init would start the engine again.
    init.iter().for_each(|pid| procs::signal_pid(*pid, Signal::STOP));
    let ended = until(DEADLINE, || {
        let members = unboxed::members(id, init);
        members.iter().for_each(|pid| procs::kill_pid(*pid));
        members.is_empty().then_some(())
    });
    ended.await.ok_or_else(|| broken_by("ending the sandbox", "its processes do not die"))
}

/// Looks at a state that cannot be awaited, at growing intervals, until it is there.
pub(super) async fn until<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        let mut pause = Duration::from_micros(500);
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    };
    tokio::time::timeout(deadline, looking).await.ok()
}
