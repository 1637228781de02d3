//! Whether the engine room can work.

use std::time::Duration;

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::store;

use crate::control::Control;

/// How long records and runtime may take to answer.
const WITHIN: Duration = Duration::from_secs(2);

impl Control {
    /// What does not work, in a few words each; nothing if everything does. It looks for an account
    /// and a sandbox that are not there, which touches neither.
    pub async fn broken(&self) -> Vec<&'static str> {
        let mut broken = Vec::new();
        if self.draining.is_cancelled() {
            broken.push("the platform is shutting down");
        }
        let nobody = AccountId::generate(&*self.parts.entropy);
        let reads = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.accounts().get(nobody).await })
        });
        if !matches!(tokio::time::timeout(WITHIN, reads).await, Ok(Ok(_))) {
            broken.push("the records cannot be read");
        }
        let none = SmartboxId::generate(&*self.parts.entropy);
        let looks = self.parts.runtime.observe(none);
        if !matches!(tokio::time::timeout(WITHIN, looks).await, Ok(Ok(_))) {
            broken.push("the runtime does not answer");
        }
        broken
    }
}
