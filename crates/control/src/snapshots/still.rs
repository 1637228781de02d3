//! Holds a box still for the moment of a copy.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::sandbox::{Phase, Shift};
use smartbox_core::snapshot::port::{Cause, Still};
use tokio::sync::OwnedMutexGuard;
use tokio::task::AbortHandle;

use crate::control::Control;
use crate::keeper::Keeper;

/// A box that was not let go after so long is let go all the same, and the copy is none.
const LONGEST: Duration = Duration::from_secs(30);
/// A thaw that fails is tried again after this time.
const AGAIN: Duration = Duration::from_millis(200);
/// After so many the keeper gets it back as it is: its plan knows how to go on.
const TRIES: u32 = 25;

/// Over one box, for one copy.
pub(super) struct Freezer {
    control: Arc<Control>,
    keeper: Arc<Keeper>,
    held: Arc<Mutex<Option<Held>>>,
    watch: Mutex<Option<AbortHandle>>,
}

struct Held {
    /// Nothing begins, freezes or thaws meanwhile.
    _moment: OwnedMutexGuard<()>,
    /// What ran, and was frozen for this.
    froze: bool,
}

impl Freezer {
    pub(super) fn new(control: &Arc<Control>, keeper: &Arc<Keeper>) -> Arc<Self> {
        Arc::new(Self {
            control: control.clone(),
            keeper: keeper.clone(),
            held: Arc::default(),
            watch: Mutex::default(),
        })
    }

    /// Whether it is held still at this moment.
    pub(super) fn holds(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn freeze(&self) -> Result<(), Cause> {
        let moment = self.keeper.hold().await;
        let id = self.keeper.id().clone();
        let runtime = &self.control.parts.runtime;
        let up = runtime.observe(id.clone()).await?.phase == Phase::Up;
        // Before it is done: whoever is dropped half-way must be undone.
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Held { _moment: moment, froze: up });
        self.keeper.pause();
        let (control, keeper, held) =
            (self.control.clone(), self.keeper.clone(), self.held.clone());
        let watch = self.control.tasks.spawn(async move {
            tokio::time::sleep(LONGEST).await;
            if thaw(&control, &keeper, &held).await {
                tracing::warn!(smartbox = %keeper.id(), "a copy of its home held the smartbox too long");
            }
        });
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch.abort_handle());
        if up {
            runtime.shift(id, Shift::Freeze { page_out: false }).await?;
        }
        Ok(())
    }
}

/// Lets it go. False if it was let go before.
async fn thaw(control: &Control, keeper: &Keeper, held: &Mutex<Option<Held>>) -> bool {
    let taken = held.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(held) = taken else { return false };
    let tries = if held.froze { TRIES } else { 0 };
    for _ in 0..tries {
        match control.parts.runtime.shift(keeper.id().clone(), Shift::Thaw).await {
            // One that is gone needs none: the keeper finds out.
            Ok(()) | Err(smartbox_core::sandbox::port::RuntimeError::Absent(_)) => break,
            Err(error) => {
                tracing::error!(smartbox = %keeper.id(), %error, "a smartbox that was held still cannot be let go");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
    keeper.pause();
    drop(held);
    keeper.nudge();
    true
}

impl Still for Freezer {
    fn hold(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(self.freeze())
    }

    fn release(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async move {
            let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Not while it lets go itself: it would leave the box as it is.
            let let_go = thaw(&self.control, &self.keeper, &self.held).await;
            if let Some(watch) = watch {
                if let_go {
                    watch.abort();
                } else {
                    return Err("it was held too long, and let go".into());
                }
            }
            Ok(())
        })
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take() {
            watch.abort();
        }
        if self.holds() {
            let (control, keeper, held) =
                (self.control.clone(), self.keeper.clone(), self.held.clone());
            self.control.tasks.spawn(async move { thaw(&control, &keeper, &held).await });
        }
    }
}
