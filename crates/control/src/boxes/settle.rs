//! Waiting until a smartbox is where it was wished to be.

use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Smartbox, State};

use crate::control::Control;
use crate::error::ControlError;

impl Control {
    /// Waits until the box is in one of `want`, or has failed, or is gone ([`ControlError::Missing`]).
    pub async fn settle(
        &self,
        id: &SmartboxId,
        want: &[State],
        within: Duration,
    ) -> Result<Smartbox, ControlError> {
        let missing = ControlError::Missing { what: "smartbox" };
        let Some(keeper) = self.keeper(id) else { return Err(missing) };
        let mut seen = keeper.watch();
        let waited = tokio::time::timeout(
            within,
            seen.wait_for(|now| {
                now.gone || (now.settled && (want.contains(&now.state) || now.failure.is_some()))
            }),
        )
        .await
        // The watch's guard must not be held over the next await: it is not `Send`. What it showed
        // decides: by the time that the row is read, the next try may have cleared the failure.
        .map(|changed| changed.map(|now| (now.gone, now.state, now.failure.clone())));
        let (state, failure) = match waited {
            Err(_) => return Err(ControlError::Late { state: keeper.now().state }),
            Ok(Err(_)) => return Err(ControlError::Draining),
            Ok(Ok((true, ..))) => return Err(missing),
            Ok(Ok((false, state, failure))) => (state, failure),
        };
        match failure {
            Some(failure) if !want.contains(&state) => Err(ControlError::Failed(failure)),
            _ => self.row(id).await?.ok_or(missing),
        }
    }
}
