//! The one place that waits for processes: children of init by name, orphans of the box unseen.

use std::collections::HashMap;
use std::sync::Mutex;

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};
use smartbox_link::wire::Exit;
use tokio::sync::{Notify, oneshot};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl Ended {
    /// As it goes over the wire.
    pub(crate) fn exit(self, oom: bool, timed_out: bool) -> Exit {
        Exit { code: self.code, signal: self.signal, oom, timed_out }
    }
}

impl From<WaitStatus> for Ended {
    fn from(status: WaitStatus) -> Self {
        Self { code: status.exit_status(), signal: status.terminating_signal() }
    }
}

/// Processes that someone waits for, by pid.
#[derive(Default)]
pub(crate) struct Reaper {
    waiting: Mutex<HashMap<i32, oneshot::Sender<Ended>>>,
    /// Told after each pass that reaped something.
    pub(crate) reaped: Notify,
}

impl Reaper {
    /// Registers a child. Call it before the reactor runs again after the fork, so that a pass
    /// cannot come between.
    pub(crate) fn expect(&self, pid: Pid) -> oneshot::Receiver<Ended> {
        let (told, end) = oneshot::channel();
        self.lock().insert(pid.as_raw_pid(), told);
        end
    }

    /// Whether this child has not been reaped, so that its pid is still its own.
    pub(crate) fn holds(&self, pid: Pid) -> bool {
        self.lock().contains_key(&pid.as_raw_pid())
    }

    /// Reaps everything that has ended, at most `most` processes. Says whether some may be left.
    pub(crate) fn pass(&self, most: usize) -> bool {
        let mut some = false;
        for _ in 0..most {
            let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) else {
                if some {
                    self.reaped.notify_waiters();
                }
                return false;
            };
            some = true;
            if let Some(told) = self.lock().remove(&pid.as_raw_pid()) {
                let _ = told.send(status.into());
            }
        }
        self.reaped.notify_waiters();
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i32, oneshot::Sender<Ended>>> {
        self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
