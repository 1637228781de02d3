//! What a kind of job does.

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::job::JobFailure;

use super::ctx::Ctx;

/// A kind of job. It has no state of its own: what a run needs stands in the job's row.
pub trait Work: Send + Sync {
    /// Its word, as `noun.verb`.
    fn kind(&self) -> &'static str;

    /// Whether a run that was cut off may be followed by another. Then each of its steps must come
    /// to the same when it is done twice, or its checkpoint must say that it was done.
    fn resumes(&self) -> bool {
        true
    }

    /// Whether it stops for a pause.
    fn pauses(&self) -> bool {
        false
    }

    /// How many ended jobs of this kind a box keeps; none for no limit but their time.
    fn keeps(&self) -> Option<usize> {
        None
    }

    /// Does it, and says what came of it. Asked to stop ([`Ctx::stopping`]) it stops at the next
    /// good moment; a cancelled run that does not stop by itself is cut off after a while. When the
    /// platform goes down the future is dropped where it stands.
    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>>;
}

/// Why a run ended without its result.
#[derive(Debug)]
pub enum Halt {
    /// It cannot be done.
    Failed(JobFailure),
    /// It was asked to stop. What was done by then, if it is cancelled.
    Stopped(Option<Value>),
    /// The job is no longer this run's: the platform goes down, or the row is gone.
    Lost,
}
