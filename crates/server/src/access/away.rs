//! Devices that stayed away for too long are ended for good, and the audit says so. As soon as the clock says
//! that one has, its token is refused; but the clock may be wrong, and what is ended does not come back by setting
//! it right. So a device is ended once it has been found away for some time that passed by no clock that can be set.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use smartbox_core::audit::Act;
use smartbox_core::device::{Device, DeviceId, FORGOTTEN};
use smartbox_core::store::{StoreError, Tx};
use smartbox_core::time::Timestamp;
use tokio::time::Instant;

use super::Access;

/// For how long one is found away before that is believed: a clock that is off is mostly set within minutes.
const BELIEVED: Duration = Duration::from_hours(2);
const PLATFORM: &str = "platform";

/// Devices that were found away, and since when without a look that did not find them so. A process that
/// ends begins anew, which ends nobody too early.
#[derive(Debug, Default)]
pub(super) struct Away(HashMap<DeviceId, Instant>);

impl Away {
    /// Those of the ones that are found away which have been for long enough.
    fn found(&mut self, away: Vec<DeviceId>, at: Instant) -> Vec<DeviceId> {
        let before = std::mem::take(&mut self.0);
        let since = |id: DeviceId| {
            let since = before.get(&id).copied().unwrap_or(at);
            (id, since)
        };
        self.0 = away.into_iter().map(since).collect();
        let long = |since: &Instant| at.saturating_duration_since(*since) >= BELIEVED;
        self.0.iter().filter(|(_, since)| long(since)).map(|(id, _)| id.clone()).collect()
    }
}

impl Access {
    /// Ends those of the devices that were found away of which it is sure. `at` is a time that nobody sets.
    pub(super) async fn end_away(
        &self,
        away: Vec<DeviceId>,
        (now, at): (Timestamp, Instant),
    ) -> Result<(), StoreError> {
        let sure = self.away.lock().unwrap_or_else(PoisonError::into_inner).found(away, at);
        if sure.is_empty() {
            return Ok(());
        }
        self.change(move |tx| {
            Box::pin(async move {
                for id in sure {
                    // As it is now: it may have come meanwhile, or hang on another one.
                    let found = tx.devices().get(id).await?;
                    if let Some(device) = found.filter(|device| device.is_forgotten(now)) {
                        end(tx, device, now).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }
}

/// Ends one that stayed away for too long; the platform did it, for nobody.
pub(super) async fn end(
    tx: &mut dyn Tx,
    mut device: Device,
    now: Timestamp,
) -> Result<Device, StoreError> {
    device.revoke(FORGOTTEN, now);
    tx.devices().put(device.clone()).await?;
    if let Some(account) = device.account.clone() {
        let act = Act {
            account,
            actor: PLATFORM.into(),
            action: "device.revoke".into(),
            smartbox: device.smartbox.clone(),
            detail: device.id.to_string(),
            at: now,
        };
        tx.audit().append(act).await?;
    }
    Ok(device)
}

#[cfg(test)]
mod tests {
    use smartbox_core::device::PublicKey;

    use super::*;

    fn id(n: u8) -> DeviceId {
        DeviceId::of(&PublicKey([n; 32]))
    }

    #[test]
    fn one_is_away_once_every_look_for_some_time_said_so() {
        let (mut away, t) = (Away::default(), Instant::now());
        let just_before = BELIEVED - Duration::from_secs(1);
        assert_eq!(away.found(vec![id(1)], t), []);
        assert_eq!(away.found(vec![id(1), id(2)], t + just_before), []);
        assert_eq!(away.found(vec![id(1), id(2)], t + BELIEVED), [id(1)]);
        // The second was not away for one look: it begins anew.
        assert_eq!(away.found(vec![id(1)], t + BELIEVED), [id(1)], "nobody has ended it yet");
        assert_eq!(away.found(vec![id(2)], t + 2 * BELIEVED), []);
        assert_eq!(away.found(vec![], t + 3 * BELIEVED), []);
        assert_eq!(away.0.len(), 0, "nothing is remembered of who came");
    }
}
