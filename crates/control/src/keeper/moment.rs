//! The held moment: while somebody copies the home of a box, nothing begins, freezes or thaws in it.
//!
//! The keeper takes `moment` around each step of the runtime; who copies takes it, freezes what runs, and
//! keeps it until what was frozen is thawed. A process that dies meanwhile leaves a frozen sandbox whose
//! row says that it runs; the next one's plan thaws it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{Observed, SandboxSpec, Shift};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Keeper;
use crate::control::Control;

/// Who may do something with the sandbox now.
#[derive(Default)]
pub(super) struct Moment {
    turn: Arc<Mutex<()>>,
    /// Rises when a box is held still, and again when it is let go: odd in between.
    pauses: AtomicU64,
}

impl Keeper {
    pub(super) async fn observe(&self, control: &Control) -> Result<Observed, RuntimeError> {
        let _turn = self.moment.turn.lock().await;
        control.parts.runtime.observe(self.id.clone()).await
    }

    pub(super) async fn shift(&self, control: &Control, to: Shift) -> Result<(), RuntimeError> {
        let _turn = self.moment.turn.lock().await;
        control.parts.runtime.shift(self.id.clone(), to).await
    }

    pub(super) async fn make(
        &self,
        control: &Control,
        spec: SandboxSpec,
    ) -> Result<(), RuntimeError> {
        let _turn = self.moment.turn.lock().await;
        control.parts.runtime.start(spec).await
    }

    /// Keeps everybody else from the sandbox for as long as this is held.
    pub(crate) async fn hold(&self) -> OwnedMutexGuard<()> {
        self.moment.turn.clone().lock_owned().await
    }

    /// The processes of the box are stopped for a moment, or go on.
    pub(crate) fn pause(&self) {
        self.moment.pauses.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was paused or let go so far: what was the same number all the time, and even, was
    /// not paused in between.
    pub(super) fn pauses(&self) -> u64 {
        self.moment.pauses.load(Ordering::SeqCst)
    }
}
