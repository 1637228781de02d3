//! Looking at sandboxes without touching them: init is asked, the engine is not.

use std::time::Duration;

use futures_util::future::join_all;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{EngineProcess, Exit, Memory, Observed, Phase};
use smartbox_link::wire::{self, EngineState, Status};

use super::error::broken;
use super::{Inner, dirs, peer, procs, unboxed};
use crate::nest::spec::Level;

/// How long init may take before it counts as silent.
const ANSWER: Duration = Duration::from_secs(3);

pub(super) async fn list(inner: &Inner) -> Result<Vec<Observed>, RuntimeError> {
    let mut ids = dirs::boxes(&inner.config.data_dir);
    ids.extend(inner.cgroups.iter().flat_map(crate::cgroup::Cgroups::boxes));
    ids.sort();
    ids.dedup();
    let mut seen = Vec::new();
    for found in join_all(ids.iter().map(|id| observe(inner, id))).await {
        let found = found?;
        if found.phase != Phase::Absent {
            seen.push(found);
        }
    }
    Ok(seen)
}

pub(super) async fn observe(inner: &Inner, id: &SmartboxId) -> Result<Observed, RuntimeError> {
    let dir = inner.dir(id);
    let fence = dir.read_meta().map_or(0, |meta| meta.fence);
    let init = peer::find(&dir).await.map_err(|e| broken("looking for the sandbox", e))?;
    let leftover = || match &inner.cgroups {
        Some(cgroups) => cgroups.pids(id),
        None if inner.level == Level::None => unboxed::members(id, None).into_iter().collect(),
        None => Vec::new(),
    };
    let Some(init) = init else {
        let pids = leftover();
        let phase = if pids.is_empty() { Phase::Absent } else { Phase::Up };
        let fence = if phase == Phase::Absent { 0 } else { fence };
        let memory = procs::memory(&pids);
        return Ok(Observed {
            id: id.clone(),
            phase,
            fence,
            engine: EngineProcess::Unknown,
            memory,
        });
    };
    // An init that answers for another box is not believed.
    let status = peer::status(&dir, fence, ANSWER).await.ok().filter(|s| s.id == id.as_str());
    let (phase, memory) = processes(inner, id, init.pid);
    Ok(Observed {
        id: id.clone(),
        phase,
        fence: status.as_ref().map_or(fence, |status| status.fence),
        engine: status.as_ref().map_or(EngineProcess::Unknown, engine),
        memory,
    })
}

fn processes(inner: &Inner, id: &SmartboxId, init: i32) -> (Phase, Memory) {
    if let Some(cgroups) = &inner.cgroups {
        let phase = if cgroups.wants_frozen(id) { Phase::Frozen } else { Phase::Up };
        return (phase, procs::memory(&cgroups.engine_pids(id)));
    }
    let all = procs::descendants(init);
    let phase = if super::freeze::are_stopped(&all) { Phase::Frozen } else { Phase::Up };
    (phase, procs::memory(&all.into_iter().map(|(pid, _)| pid).collect::<Vec<_>>()))
}

fn engine(status: &Status) -> EngineProcess {
    let engine = &status.engine;
    let last = exit(engine.last_exit.unwrap_or_default());
    match engine.state {
        EngineState::Idle => EngineProcess::Idle,
        EngineState::Running => {
            EngineProcess::Running { starts: engine.starts, last: engine.last_exit.map(exit) }
        }
        EngineState::Backoff => EngineProcess::Backoff { starts: engine.starts, last },
        EngineState::Ended => EngineProcess::Ended { last },
    }
}

fn exit(exit: wire::Exit) -> Exit {
    Exit { code: exit.code, signal: exit.signal, oom: exit.oom }
}
