//! Closing the circuit breaker by hand.

use smartbox_core::id::SmartboxId;
use smartbox_core::issue::Kind;
use smartbox_core::smartbox::Smartbox;

use super::wish::again;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

impl Control {
    /// A person says that the cause is gone: earlier failures count no more, and the box starts again
    /// as is wished of it. Of a box that needs it not it changes nothing.
    pub async fn reset(&self, actor: &Actor, id: &SmartboxId) -> Result<Smartbox, ControlError> {
        let row = self
            .wish(actor, id, "box.reset", |row| {
                row.vitals.breaker.reset();
                row.failures = 0;
                again(row);
            })
            .await?;
        self.settle_issues(id, &[Kind::BreakerOpen, Kind::BoxFailed]).await;
        Ok(row)
    }
}
