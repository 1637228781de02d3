//! A bucket that empties by use and fills by the clock (GCRA). All that it keeps is one time, so a
//! shared store can keep it as well as memory.

use std::time::Duration;

/// So many at once, and then one each time that one has flowed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds until one more has flowed back; never 0.
    each: u64,
    /// How many a full bucket holds; never 0.
    burst: u64,
}

/// The text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate; write a number and a time, like 20/s, 100/min or 50/h")]
pub struct BadRate(pub String);

impl Rate {
    /// `count` in each `per`, and `burst` at once. Counts of nothing are one.
    pub fn new(count: u64, per: Duration, burst: u64) -> Self {
        let nanos = u64::try_from(per.as_nanos()).unwrap_or(u64::MAX);
        Self { each: (nanos / count.max(1)).max(1), burst: burst.max(1) }
    }

    /// Reads `20/s`, `100/min` or `50/h`.
    pub fn parse(text: &str, burst: u64) -> Result<Self, BadRate> {
        let bad = || BadRate(text.chars().take(40).collect());
        let (count, per) = text.split_once('/').ok_or_else(bad)?;
        let per = match per.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            _ => return Err(bad()),
        };
        match count.trim().parse() {
            Ok(count @ 1..=1_000_000_000) => Ok(Self::new(count, Duration::from_secs(per), burst)),
            _ => Err(bad()),
        }
    }

    /// How many a full bucket holds.
    pub const fn burst(&self) -> u64 {
        self.burst
    }

    const fn full(&self) -> u64 {
        self.each.saturating_mul(self.burst)
    }
}

/// One bucket. Times are nanoseconds on a clock that never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket(u64);

impl Bucket {
    /// Takes `count` out, or says how long to wait until they are there. What a full bucket does not
    /// hold is let through when it is full: it would never be otherwise.
    pub fn take(&mut self, rate: Rate, count: u64, now: u64) -> Result<(), Duration> {
        let from = self.0.max(now);
        let then = from.saturating_add(rate.each.saturating_mul(count));
        let over = (then - now).saturating_sub(rate.full());
        if over > 0 && from > now {
            return Err(Duration::from_nanos(over.min(from - now)));
        }
        self.0 = then;
        Ok(())
    }

    /// How long to wait until `count` are there, taking none.
    pub fn wait(self, rate: Rate, count: u64, now: u64) -> Option<Duration> {
        let mut copy = self;
        copy.take(rate, count, now).err()
    }

    /// Whether it is full, so that it need not be remembered.
    pub const fn full(self, now: u64) -> bool {
        self.0 <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn a_burst_passes_and_then_one_each_time_that_one_has_flowed_back() {
        let rate = Rate::parse("10/s", 3).unwrap();
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, 1, S), Ok(()));
        }
        assert_eq!(bucket.take(rate, 1, S), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(rate, 1, S + S / 10), Ok(()));
        assert!(bucket.take(rate, 1, S + S / 10).is_err());
        assert!(!bucket.full(S + S / 10) && bucket.full(S * 2));
        // However long it was left alone, it holds no more than a burst.
        let passed = (0..100).filter(|_| bucket.take(rate, 1, S * 1000).is_ok()).count();
        assert_eq!(passed, 3);
    }

    #[test]
    fn a_refusal_costs_nothing_and_its_time_is_true() {
        let rate = Rate::parse("60/min", 2).unwrap();
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(rate, 2, 0), Ok(()));
        let wait = bucket.take(rate, 2, 0).unwrap_err();
        for _ in 0..1000 {
            assert_eq!(bucket.take(rate, 2, 0), Err(wait));
        }
        let then = u64::try_from(wait.as_nanos()).unwrap();
        assert!(bucket.wait(rate, 2, then - 1).is_some());
        assert_eq!(bucket.take(rate, 2, then), Ok(()));
    }

    #[test]
    fn more_than_a_bucket_holds_passes_when_it_is_full_and_is_paid_for_afterwards() {
        let rate = Rate::parse("10/s", 5).unwrap();
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(rate, 50, S), Ok(()));
        assert!(bucket.take(rate, 1, S * 2).is_err());
        assert!(bucket.take(rate, 1, S * 6).is_ok());
    }

    #[test]
    fn numbers_at_the_edge_do_no_harm() {
        let rate = Rate::new(1, Duration::MAX, u64::MAX);
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(rate, u64::MAX, u64::MAX), Ok(()));
        for text in ["", "5", "/s", "0/s", "-1/s", "5/d", "x/s", "99999999999/s"] {
            assert!(Rate::parse(text, 1).is_err(), "{text}");
        }
    }
}
