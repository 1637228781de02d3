//! A browser that somebody comes by, and whether it may go on.

use std::sync::Arc;

use http::request::Parts;
use smartbox_api::dpop;
use smartbox_core::device::DeviceId;
use smartbox_core::secret::Secret;

use super::{Principal, address};
use crate::access::{Seat, Stage, Unproven};
use crate::app::App;
use crate::http::trouble::Trouble;

/// A browser that has a session on the platform's origin.
#[derive(Debug, Clone)]
pub(in crate::http) struct Browser {
    pub(in crate::http) seat: Arc<Seat>,
    /// What its cookie is.
    pub(in crate::http) cookie: Arc<Secret<String>>,
    pub(in crate::http) stage: Stage,
}

impl Browser {
    /// Takes a proof of this key that fits, for the first time: with those of the device if it is this
    /// browser's, with strangers' if it is not, or not yet.
    pub(in crate::http) fn spends(
        &self,
        app: &App,
        parts: &Parts,
        by: &DeviceId,
        proof: &dpop::Proof,
    ) -> Result<(), Unproven> {
        let (proofs, now) = (&app.access.proofs, app.clock.now());
        match &self.seat.device {
            Some(device) if device.id == *by => proofs.of_device(by, proof, now),
            _ => proofs.of_stranger(address(parts).map(Into::into), proof, now),
        }
    }

    /// Whether it has a key, and has to show it to get into a box.
    pub(in crate::http) fn is_keyed(&self) -> bool {
        self.seat.device.as_ref().is_some_and(|device| device.key.is_some())
    }
}

impl Principal {
    /// The browser that they come by, if by one that has a session.
    pub(in crate::http) fn browser(&self) -> Option<&Browser> {
        self.browser.as_ref()
    }

    /// They themselves, if they come by nothing that has to prove itself first, or to wait.
    pub(super) fn ready(self) -> Result<Self, Trouble> {
        match self.browser.as_ref().map(|browser| browser.stage) {
            None | Some(Stage::In) => Ok(self),
            Some(Stage::Unproven) => {
                Err(Trouble::unproven("this browser has not shown its key for a while"))
            }
            Some(Stage::Waits) => Err(Trouble::not_let_in(
                "nobody has let this browser in yet",
                "open the platform's page in it: it shows what to do",
            )),
        }
    }
}
