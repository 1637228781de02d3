//! Counting what passes, and stopping it where the day's bytes are used up.

use std::time::Duration;

use smartbox_core::egress::port::Happening;
use smartbox_core::egress::{Refusal, Way};
use tokio::time::Instant;

use super::case::Case;

/// Bytes that are told at once. A crash of the platform loses what was not told.
const TELL: u64 = 128 << 10;
/// What passes slower is told with the next byte after so long.
const LATE: Duration = Duration::from_secs(1);

/// Counts the bytes of one connection, and tells the witness now and then and at its end.
pub(crate) struct Meter {
    case: Case,
    up: u64,
    down: u64,
    told: Instant,
    /// When something passed last.
    passed: Instant,
    spent: bool,
}

impl Meter {
    pub(crate) fn new(case: Case) -> Self {
        let now = Instant::now();
        Self { case, up: 0, down: 0, told: now, passed: now, spent: false }
    }

    /// For how long nothing passed.
    pub(crate) fn idle(&self) -> Duration {
        self.passed.elapsed()
    }

    /// How many of so many bytes may pass; they are counted. If that is not all of them, the day's
    /// bytes are used up, which is written down once, and the connection is to be cut.
    pub(crate) fn pass(&mut self, way: Way, bytes: usize) -> usize {
        let may = if self.spent { 0 } else { self.case.budget.pass(way, bytes) };
        self.passed = Instant::now();
        match way {
            Way::Up => self.up += may as u64,
            Way::Down => self.down += may as u64,
        }
        if self.up + self.down >= TELL || self.told.elapsed() >= LATE {
            self.tell();
        }
        if may < bytes && !self.spent {
            self.spent = true;
            self.tell();
            self.case.refused(Refusal::Volume);
        }
        may
    }

    /// Whether the day's bytes were used up here.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent
    }

    /// What is counted was cut.
    pub(crate) fn cut(&self, why: Refusal) {
        self.case.refused(why);
    }

    fn tell(&mut self) {
        if self.up + self.down == 0 {
            return;
        }
        let what = Happening::Moved { up: self.up, down: self.down };
        self.case.note(what);
        (self.up, self.down, self.told) = (0, 0, Instant::now());
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.tell();
    }
}
