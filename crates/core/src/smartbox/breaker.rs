//! The circuit breaker: a box that fails again and again is left alone until a person resets it.
//!
//! What counts is a *strike*: a start that failed, an engine that ended by itself after it was ready,
//! one that was restarted because it did not answer. Times are the wall clock's, which may move: a
//! strike from the future counts as one from now if the clock moved by less than the window, and is
//! forgotten otherwise, so that no jump opens the breaker or holds strikes for longer than the window.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::smartbox::{Failure, Reason};
use crate::time::Timestamp;

/// So many strikes within [`WINDOW`] open the breaker.
pub const LIMIT: usize = 5;
/// How long a strike counts.
pub const WINDOW: Duration = Duration::from_mins(10);
/// How long one counts that takes minutes itself: an engine that does not become ready or does not answer.
const SLOW_WINDOW: Duration = Duration::from_mins(90);

/// The breaker of one box.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Breaker {
    /// What went wrong within the last ten minutes, or ninety where it takes minutes to show; oldest first, at
    /// most five.
    pub strikes: Vec<Strike>,
    /// Why it is open, and since when. Only a reset by hand closes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Failure>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Strike {
    /// When.
    pub at: Timestamp,
    /// Of which class.
    pub reason: Reason,
}

impl Breaker {
    /// Whether the box may not be started.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Counts a failure of the box that people call `name`. Says whether it opened the breaker.
    pub fn strike(&mut self, failure: &Failure, name: &str, now: Timestamp) -> bool {
        if self.is_open() || !blames_the_box(failure.reason) {
            return false;
        }
        self.forget(now);
        self.strikes.push(Strike { at: now, reason: failure.reason });
        if self.strikes.len() < LIMIT {
            return false;
        }
        let oldest = self.strikes.first().map_or(now, |strike| strike.at);
        let minutes = (now.since(oldest).as_secs() / 60 + 1).max(WINDOW.as_secs() / 60);
        self.open = Some(Failure {
            reason: failure.reason,
            message: format!(
                "It failed {LIMIT} times within {minutes} minutes and is not started again by itself. The last time: {}",
                failure.message
            ),
            hint: format!(
                "See `smartbox logs {name}` for the cause, then `smartbox reset {name}`."
            ),
            at: now,
        });
        true
    }

    /// A person says that the cause is gone: nothing counts any more.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn forget(&mut self, now: Timestamp) {
        self.strikes.retain_mut(|strike| {
            let window = match strike.reason {
                Reason::Timeout => SLOW_WINDOW,
                _ => WINDOW,
            };
            let counts = now.since(strike.at) < window && strike.at.since(now) < WINDOW;
            strike.at = strike.at.min(now);
            counts
        });
    }
}

/// A host that is full is nobody's fault in the box: it starts by itself once there is room.
fn blames_the_box(reason: Reason) -> bool {
    !matches!(reason, Reason::Disk | Reason::NoRoom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_800_000_000_000;
    const WINDOW_MS: i64 = 600_000;

    fn failure(reason: Reason) -> Failure {
        Failure { reason, message: "m".into(), hint: "h".into(), at: Timestamp(START) }
    }

    fn strike(breaker: &mut Breaker, at: i64) -> bool {
        breaker.strike(&failure(Reason::Crash), "pa", Timestamp(at))
    }

    #[test]
    fn the_fifth_strike_within_the_window_opens_it_until_it_is_reset() {
        let mut breaker = Breaker::default();
        let opened: Vec<_> = (0..6).map(|n| strike(&mut breaker, START + n * 1_000)).collect();
        assert_eq!(opened, [false, false, false, false, true, false]);
        let why = breaker.open.clone().unwrap();
        assert_eq!((why.reason, why.at), (Reason::Crash, Timestamp(START + 4_000)));
        assert!(why.hint.contains("smartbox reset pa"), "{}", why.hint);
        strike(&mut breaker, START + 100 * WINDOW_MS);
        assert!(breaker.is_open(), "time does not close it");
        breaker.reset();
        assert!(!strike(&mut breaker, START + 5_000) && !breaker.is_open());
    }

    #[test]
    fn what_takes_minutes_to_fail_opens_it_too() {
        let mut breaker = Breaker::default();
        let slow = failure(Reason::Timeout);
        let opened: Vec<_> =
            (0..5).map(|n| breaker.strike(&slow, "pa", Timestamp(START + n * 185_000))).collect();
        assert_eq!(opened, [false, false, false, false, true]);
        let why = breaker.open.unwrap().message;
        assert!(why.contains("within 13 minutes"), "{why}");
    }

    #[test]
    fn a_full_disk_of_the_host_is_no_strike() {
        let mut breaker = Breaker::default();
        for n in 0..20 {
            assert!(!breaker.strike(&failure(Reason::Disk), "pa", Timestamp(START + n)));
        }
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_clock_that_moved_back_by_a_day_forgives_and_by_a_moment_does_not() {
        let mut breaker = Breaker::default();
        assert!(!(0..4).any(|n| strike(&mut breaker, START + n)));
        assert!(!strike(&mut breaker.clone(), START - 86_400_000));
        assert!(strike(&mut breaker, START - 500));
    }

    proptest! {
        #[test]
        fn it_opens_exactly_when_the_window_holds_enough(gaps in prop::collection::vec(0_i64..400_000, 1..40)) {
            let (mut breaker, mut now, mut times) = (Breaker::default(), START, Vec::new());
            for gap in gaps {
                now += gap;
                times.push(now);
                let within = times.iter().filter(|at| now - **at < WINDOW_MS).count();
                prop_assert_eq!(strike(&mut breaker, now), within >= LIMIT);
                if breaker.is_open() {
                    return Ok(());
                }
            }
        }

        #[test]
        fn no_jump_of_the_clock_keeps_a_strike_beyond_the_window(times in prop::collection::vec(-10 * WINDOW_MS..10 * WINDOW_MS, 0..40)) {
            let mut breaker = Breaker::default();
            for at in times {
                let now = START + at;
                strike(&mut breaker, now);
                prop_assert!(breaker.strikes.len() <= LIMIT);
                if breaker.is_open() {
                    breaker.reset();
                }
                for kept in &breaker.strikes {
                    prop_assert!(kept.at <= Timestamp(now), "none lies in the future");
                    prop_assert!(now - kept.at.0 < WINDOW_MS, "none is older than the window");
                }
            }
        }
    }
}
