//! Patience with someone who sends wrong tokens: a few are borne, and then each costs twice the
//! time of the one before.

use std::time::Duration;

/// How patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So many wrong ones cost nothing.
    pub free: u32,
    /// What the first after them costs.
    pub first: Duration,
    /// What one costs at the most.
    pub most: Duration,
    /// Quiet for so long: all is forgotten.
    pub forget: Duration,
}

impl Patience {
    /// Everything is borne.
    pub const ENDLESS: Self = Self {
        free: u32::MAX,
        first: Duration::ZERO,
        most: Duration::ZERO,
        forget: Duration::ZERO,
    };
}

/// What is remembered of someone. Times are nanoseconds on a clock that never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strikes {
    count: u32,
    last: u64,
}

impl Strikes {
    /// One more wrong one.
    pub fn strike(&mut self, patience: Patience, now: u64) {
        if self.over(patience, now) {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = now;
    }

    /// How long to wait before the next. `strained`: there are so many wrong ones everywhere that
    /// none is borne for nothing.
    pub fn wait(self, patience: Patience, strained: bool, now: u64) -> Option<Duration> {
        let free = if strained { 0 } else { patience.free };
        if self.over(patience, now) || self.count <= free {
            return None;
        }
        let doubled = 1_u32.checked_shl(self.count - free - 1).filter(|n| *n > 0);
        let cost = doubled
            .and_then(|times| patience.first.checked_mul(times))
            .map_or(patience.most, |cost| cost.min(patience.most));
        let since = Duration::from_nanos(now.saturating_sub(self.last));
        cost.checked_sub(since).filter(|wait| !wait.is_zero())
    }

    /// Whether it need not be remembered.
    pub fn over(self, patience: Patience, now: u64) -> bool {
        self.count == 0 || Duration::from_nanos(now.saturating_sub(self.last)) >= patience.forget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const PATIENCE: Patience = Patience {
        free: 3,
        first: Duration::from_secs(1),
        most: Duration::from_secs(60),
        forget: Duration::from_secs(600),
    };

    #[test]
    fn a_few_are_borne_and_then_each_costs_twice_as_much() {
        let mut strikes = Strikes::default();
        for _ in 0..3 {
            strikes.strike(PATIENCE, S);
            assert_eq!(strikes.wait(PATIENCE, false, S), None);
        }
        for cost in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            strikes.strike(PATIENCE, S);
            let wait = Duration::from_secs(cost);
            assert_eq!(strikes.wait(PATIENCE, false, S), Some(wait));
            assert_eq!(strikes.wait(PATIENCE, false, S + cost * S), None);
        }
        for _ in 0..100 {
            strikes.strike(PATIENCE, S);
        }
        assert_eq!(strikes.wait(PATIENCE, false, S), Some(PATIENCE.most));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut strikes = Strikes::default();
        for _ in 0..20 {
            strikes.strike(PATIENCE, S);
        }
        assert!(!strikes.over(PATIENCE, 600 * S) && strikes.over(PATIENCE, 601 * S));
        strikes.strike(PATIENCE, 700 * S);
        assert_eq!(strikes.wait(PATIENCE, false, 700 * S), None);
    }

    #[test]
    fn under_strain_the_first_wrong_one_costs_already_and_nobody_without_one_waits() {
        let mut strikes = Strikes::default();
        assert_eq!(strikes.wait(PATIENCE, true, S), None);
        strikes.strike(PATIENCE, S);
        assert_eq!(strikes.wait(PATIENCE, true, S), Some(PATIENCE.first));
    }

    #[test]
    fn endless_patience_never_ends() {
        let mut strikes = Strikes::default();
        for _ in 0..1000 {
            strikes.strike(Patience::ENDLESS, S);
        }
        assert_eq!(strikes.wait(Patience::ENDLESS, true, S), None);
    }
}
