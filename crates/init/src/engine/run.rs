//! One run of the engine: how it begins and what is left to do when it has ended.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_link::wire::{EngineOrder, EngineState, EngineStatus};
use tokio::time::{Instant, timeout};

use super::log::Log;
use super::record::Record;
use crate::clock::now_ms;
use crate::process::image::Image;
use crate::process::{Child, Ended, Group, Job, OomCounter, Spawner};

/// How long a start is waited for before it counts as one; a frozen cgroup delays it for as long as
/// it is frozen.
const START: Duration = Duration::from_secs(5);

/// A run.
pub(crate) struct Run {
    pub(crate) child: Child,
    pub(crate) since: Instant,
    group: Group,
    oom_before: u64,
}

/// Begins and ends runs, and keeps the status.
pub(crate) struct Starter {
    spawner: Arc<Spawner>,
    pub(crate) log: Log,
    record: Record,
    oom: Arc<OomCounter>,
    status: Arc<Mutex<EngineStatus>>,
}

impl Starter {
    pub(crate) fn new(
        spawner: Arc<Spawner>,
        log: Log,
        record: Record,
        oom: Arc<OomCounter>,
        status: Arc<Mutex<EngineStatus>>,
    ) -> Self {
        Self { spawner, log, record, oom, status }
    }

    /// Changes the status.
    pub(crate) fn set(&self, change: impl FnOnce(&mut EngineStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Begins a run.
    pub(crate) async fn begin(&self, order: &EngineOrder) -> Result<Run, String> {
        let group = Group::new(&self.spawner, 'e');
        let run = match self.fork(order, &group) {
            Ok(child) => Run { child, group, since: Instant::now(), oom_before: self.oom.count() },
            Err(why) => {
                group.end(None).await;
                return Err(why);
            }
        };
        if let Ok(Err(why)) = timeout(START, run.child.report.started()).await {
            run.group.end(Some(run.child.pid)).await;
            return Err(why);
        }
        self.set(|status| {
            status.state = EngineState::Running;
            status.pid = u32::try_from(run.child.pid.as_raw_pid()).ok();
            status.starts = status.starts.saturating_add(1);
        });
        Ok(run)
    }

    fn fork(&self, order: &EngineOrder, group: &Group) -> Result<Child, String> {
        let places = &self.spawner.places;
        let mut env = places.values(&order.env);
        env.extend(group.mark());
        let (argv, cwd) = (places.all(&order.argv), places.real(&order.cwd));
        let image = Image::new(&argv, &env, &cwd).map_err(|e| e.to_string())?;
        let io = |e: std::io::Error| e.to_string();
        let null: OwnedFd = std::fs::File::open("/dev/null").map_err(io)?.into();
        let stdio = [null, self.log.source().map_err(io)?, self.log.source().map_err(io)?];
        self.spawner.spawn(Job { image: &image, group, stdio, tty: false }).map_err(io)
    }

    /// Kills what the run has left behind and writes its end down. Says how long it ran.
    pub(crate) async fn finish(&mut self, run: Run, ended: Ended) -> Duration {
        let ran = run.since.elapsed();
        let oom = self.oom.count() > run.oom_before;
        run.group.end(Some(run.child.pid)).await;
        self.log.flush();
        let exit = ended.exit(oom, false);
        let mut starts = 0;
        self.set(|status| {
            status.pid = None;
            status.last_exit = Some(exit);
            starts = status.starts;
        });
        self.record.add(now_ms(), exit, starts);
        ran
    }

    /// Kills everything of a run that does not end by itself.
    pub(crate) async fn kill(&self, run: &Run) {
        run.group.kill(Some(run.child.pid)).await;
    }
}
