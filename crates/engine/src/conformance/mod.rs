//! What every engine must do behind its adapter, as checks that run against a real process.
//!
//! Puppet passes them in every test run; OpenClaw where one is installed. The checks are grouped by
//! boot, since a real engine takes ten seconds to start. They need no sandbox.

mod checks;
mod config;
mod conversations;

use std::time::Duration;

pub use crate::local::{Model, Process, ProcessError};

/// A check that failed, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<ProcessError> for Failure {
    fn from(error: ProcessError) -> Self {
        Self(error.0)
    }
}

/// Runs every check, one after the other. Leaves no process behind.
pub async fn all(process: &Process) -> Result<(), Failure> {
    checks::first_boot(process).await?;
    checks::after_a_kill_in_a_turn(process).await?;
    checks::after_a_kill_at_the_first_message(process).await?;
    checks::after_a_clean_stop(process).await?;
    checks::bad_configuration(process).await
}

/// Checks that a lease ends by itself: for an engine whose leases are this short.
pub async fn lease_ends(process: &Process, lease: Duration) -> Result<(), Failure> {
    checks::lease_ends(process, lease).await
}
