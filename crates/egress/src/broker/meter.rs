//! Counting what passes.

use smartbox_core::egress::Refusal;
use smartbox_core::egress::port::Happening;

use super::case::Case;

/// Bytes that are told at once.
const TELL: u64 = 1 << 20;

/// Counts the bytes of one connection, and tells the witness now and then and at its end.
pub(crate) struct Meter {
    case: Case,
    up: u64,
    down: u64,
}

impl Meter {
    pub(crate) fn new(case: Case) -> Self {
        Self { case, up: 0, down: 0 }
    }

    pub(crate) fn up(&mut self, bytes: usize) {
        self.up += bytes as u64;
        self.tell_from(TELL);
    }

    pub(crate) fn down(&mut self, bytes: usize) {
        self.down += bytes as u64;
        self.tell_from(TELL);
    }

    /// What is counted was cut.
    pub(crate) fn cut(&self, why: Refusal) {
        self.case.refused(why);
    }

    fn tell_from(&mut self, least: u64) {
        if self.up + self.down < least {
            return;
        }
        let what = Happening::Moved { up: self.up, down: self.down };
        self.case.note(what);
        (self.up, self.down) = (0, 0);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.tell_from(1);
    }
}
