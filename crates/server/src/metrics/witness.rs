//! A witness of what leaves boxes, counted on the way.

use std::sync::Arc;

use smartbox_core::egress::port::{Passage, Witness};
use smartbox_core::telemetry::{Event, Telemetry};

/// Another witness, and who counts what it is told.
pub struct Noted {
    /// Who takes account.
    pub witness: Arc<dyn Witness>,
    /// Who counts.
    pub telemetry: Arc<dyn Telemetry>,
}

impl Witness for Noted {
    fn note(&self, passage: Passage) {
        self.telemetry.note(Event::Egress(&passage.what));
        self.witness.note(passage);
    }
}
