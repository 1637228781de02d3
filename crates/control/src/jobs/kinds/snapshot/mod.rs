//! What is done about snapshots and takes its time.

mod drill;
mod fork;
mod prune;
mod restore;
mod take;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::job::Progress;
use smartbox_core::snapshot::port::Meter;

use crate::error::ControlError;
use crate::jobs::work::Work;
use crate::jobs::{Ctx, Halt};

/// How often bytes are told.
const OFTEN: Duration = Duration::from_millis(500);

/// All of them.
pub(super) fn all() -> Vec<Arc<dyn Work>> {
    vec![
        Arc::new(take::Take),
        Arc::new(restore::Restore),
        Arc::new(fork::Fork),
        Arc::new(verify::Verify),
        Arc::new(prune::Prune),
        Arc::new(drill::Drill),
    ]
}

fn subject(ctx: &Ctx) -> Result<SmartboxId, Halt> {
    let missing = ControlError::Missing { what: "smartbox" };
    Ok(ctx.job().smartbox.clone().ok_or(missing)?)
}

/// How far something is, for the job's row.
#[derive(Default)]
struct Tell {
    bytes: Arc<AtomicU64>,
    words: Arc<Mutex<String>>,
}

impl Tell {
    /// What counts bytes.
    fn meter(&self) -> Meter {
        let count = self.bytes.clone();
        Arc::new(move |bytes| count.store(bytes, Ordering::Relaxed))
    }

    /// What hears in words what is being done.
    fn said(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let words = self.words.clone();
        Arc::new(move |text: &str| {
            text.clone_into(&mut words.lock().unwrap_or_else(PoisonError::into_inner));
        })
    }

    async fn tell(&self, ctx: &Ctx) -> Result<(), Halt> {
        let note = self.words.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let done = self.bytes.load(Ordering::Relaxed);
        ctx.progress(Progress { done, total: None, unit: "bytes".into(), note }).await
    }

    /// Does something and says meanwhile how far it is. Asked to stop, it is left where it stands.
    async fn during<T>(
        &self,
        ctx: &Ctx,
        doing: impl Future<Output = Result<T, ControlError>> + Send,
    ) -> Result<T, Halt> {
        let telling = async {
            loop {
                tokio::time::sleep(OFTEN).await;
                if let Err(halt) = self.tell(ctx).await {
                    return halt;
                }
            }
        };
        let done = tokio::select! {
            done = ctx.unless_stopped(doing) => done??,
            halt = telling => return Err(halt),
        };
        self.tell(ctx).await?;
        Ok(done)
    }
}
