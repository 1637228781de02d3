//! Where a job may go from where it is. Whoever runs it shows its fencing token; one that was taken
//! up by another since is told so and changes nothing.

use std::time::Duration;

use serde_json::Value;

use super::{Asked, INTERRUPTED, Job, JobFailure, JobState, MAX_INTERRUPTIONS, Progress};
use crate::time::Timestamp;

/// Why a job does not go there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("the job is over")]
    Over,
    /// It is being cancelled.
    #[error("the job is being cancelled")]
    Cancelling,
    /// The one who runs it is another by now.
    #[error("another run has taken the job up")]
    Lost,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Done, with this result.
    Succeeded(Value),
    /// Given up.
    Failed(JobFailure),
    /// Stopped as it was asked to: paused, or cancelled with what was done by then.
    Stopped(Option<Value>),
}

impl Job {
    /// A runner takes it up: one that was queued, or one whose process is gone. Returns the
    /// runner's fencing token; none if there is nothing to run. What was asked of a run that is
    /// gone is done at once.
    pub fn take(&mut self, now: Timestamp, keep: Duration) -> Option<u32> {
        match (self.state, self.asked.take()) {
            (JobState::Queued, _) => {}
            (JobState::Running, None) => {
                self.interruptions = self.interruptions.saturating_add(1);
                if self.interruptions > MAX_INTERRUPTIONS {
                    self.fail(interrupted(), now, keep);
                    return None;
                }
            }
            (JobState::Running, Some(Asked::Pause)) => {
                self.state = JobState::Paused;
                return None;
            }
            (JobState::Running, Some(Asked::Cancel)) => {
                self.end(JobState::Cancelled, now, keep);
                return None;
            }
            _ => return None,
        }
        self.state = JobState::Running;
        self.attempts = self.attempts.saturating_add(1);
        self.started.get_or_insert(now);
        Some(self.attempts)
    }

    /// Fails a job whose process is gone and that cannot go on.
    pub fn interrupt(&mut self, now: Timestamp, keep: Duration) {
        if self.state == JobState::Running {
            self.asked = None;
            self.fail(interrupted(), now, keep);
        }
    }

    /// The run says how far it is, and what the next one would need.
    pub fn advance(
        &mut self,
        fence: u32,
        progress: Progress,
        checkpoint: Option<Value>,
    ) -> Result<(), Refusal> {
        self.check(fence)?;
        self.progress = progress;
        if let Some(checkpoint) = checkpoint {
            self.checkpoint = checkpoint;
        }
        Ok(())
    }

    /// The run is over.
    pub fn settle(
        &mut self,
        fence: u32,
        end: End,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Refusal> {
        self.check(fence)?;
        match (end, self.asked.take()) {
            (End::Succeeded(result), _) => {
                self.result = Some(result);
                self.end(JobState::Succeeded, now, keep);
            }
            (End::Failed(failure), _) => self.fail(failure, now, keep),
            (End::Stopped(_), Some(Asked::Pause)) => self.state = JobState::Paused,
            (End::Stopped(result), Some(Asked::Cancel)) => {
                self.result = result;
                self.end(JobState::Cancelled, now, keep);
            }
            // The request to stop was withdrawn meanwhile.
            (End::Stopped(_), None) => self.state = JobState::Queued,
        }
        Ok(())
    }

    /// A person wants it cancelled: at once if nobody runs it, else as soon as its run can.
    pub fn cancel(&mut self, now: Timestamp, keep: Duration) -> Result<(), Refusal> {
        match self.state {
            JobState::Queued | JobState::Paused => self.end(JobState::Cancelled, now, keep),
            JobState::Running => self.asked = Some(Asked::Cancel),
            _ => return Err(Refusal::Over),
        }
        Ok(())
    }

    /// A person wants it paused.
    pub fn pause(&mut self) -> Result<(), Refusal> {
        match (self.state, self.asked) {
            (JobState::Queued | JobState::Paused, _) => self.state = JobState::Paused,
            (JobState::Running, Some(Asked::Cancel)) => return Err(Refusal::Cancelling),
            (JobState::Running, _) => self.asked = Some(Asked::Pause),
            _ => return Err(Refusal::Over),
        }
        Ok(())
    }

    /// A person wants it to go on.
    pub fn resume(&mut self) -> Result<(), Refusal> {
        match (self.state, self.asked) {
            (JobState::Queued | JobState::Paused, _) => self.state = JobState::Queued,
            (JobState::Running, Some(Asked::Cancel)) => return Err(Refusal::Cancelling),
            (JobState::Running, _) => self.asked = None,
            _ => return Err(Refusal::Over),
        }
        Ok(())
    }

    fn check(&self, fence: u32) -> Result<(), Refusal> {
        match self.state {
            JobState::Running if self.attempts == fence => Ok(()),
            _ => Err(Refusal::Lost),
        }
    }

    fn fail(&mut self, failure: JobFailure, now: Timestamp, keep: Duration) {
        self.failure = Some(failure);
        self.end(JobState::Failed, now, keep);
    }

    fn end(&mut self, state: JobState, now: Timestamp, keep: Duration) {
        self.state = state;
        self.finished = Some(now);
        self.expires = Some(now.plus(keep));
    }
}

fn interrupted() -> JobFailure {
    JobFailure {
        code: INTERRUPTED.into(),
        detail: "the platform ended while the job ran, and the job cannot go on from there".into(),
        hint: "look at what it had done, then ask for it again".into(),
    }
}
