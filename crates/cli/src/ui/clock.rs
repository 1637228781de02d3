//! This machine's clock and randomness.

use smartbox_core::id::Entropy;
use smartbox_core::time::{Clock, Timestamp};

/// This machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        Timestamp(time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000))
    }
}

impl Entropy for System {
    fn fill(&self, out: &mut [u8]) {
        if let Err(error) = getrandom::fill(out) {
            // An identifier that can be guessed is worse than none.
            crate::ui::out::note(format!("error: the kernel gives no randomness: {error}"));
            std::process::abort();
        }
    }
}
