//! When what a box does is worth a look: it sends far more than it ever did, or asks for one stranger
//! after the other. Both are what a machine does that somebody else has taken over; neither refuses
//! anything.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::day;
use crate::time::Timestamp;

/// Less than this in an hour alarms nobody.
pub const FLOOR: u64 = 100 << 20;
/// How many usual days one hour must be worth.
pub const TIMES: u64 = 2;
/// How many days say what is usual.
pub const USUAL: u64 = 7;
/// Hosts that are refused within [`SHORT`], and alarm.
pub const STRANGERS: usize = 50;
/// A short time.
pub const SHORT: Duration = Duration::from_mins(10);

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60;
const SHORT_MINUTES: i64 = 10;

/// What a box did in the last hour.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Bytes to hosts, by minute.
    minutes: VecDeque<(i64, u64)>,
    /// Hosts that were refused, and in which minute last.
    refused: HashMap<String, i64>,
}

impl Watched {
    /// It sent this.
    pub fn sent(&mut self, bytes: u64, now: Timestamp) {
        let minute = minute(now);
        self.forget(minute);
        match self.minutes.back_mut().filter(|(last, _)| *last == minute) {
            Some((_, sum)) => *sum = sum.saturating_add(bytes),
            None => self.minutes.push_back((minute, bytes)),
        }
    }

    /// It was refused this host.
    pub fn refused(&mut self, host: &str, now: Timestamp) {
        let minute = minute(now);
        if let Some(at) = self.refused.get_mut(host) {
            *at = minute;
            return;
        }
        if self.refused.len() >= STRANGERS {
            self.forget(minute);
        }
        // Who is beyond makes no difference.
        if self.refused.len() < STRANGERS {
            self.refused.insert(host.to_owned(), minute);
        }
    }

    /// Bytes that it sent in the last hour.
    pub fn hour(&mut self, now: Timestamp) -> u64 {
        self.forget(minute(now));
        self.minutes.iter().fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// Hosts that it was refused within a short time.
    pub fn strangers(&mut self, now: Timestamp) -> usize {
        self.forget(minute(now));
        self.refused.len()
    }

    /// What it sent was looked at: it alarms once.
    pub fn looked_at_sent(&mut self) {
        self.minutes.clear();
    }

    /// Whom it was refused was looked at.
    pub fn looked_at_refused(&mut self) {
        self.refused.clear();
    }

    /// Whether nothing happened lately.
    pub fn is_calm(&mut self, now: Timestamp) -> bool {
        self.forget(minute(now));
        self.minutes.is_empty() && self.refused.is_empty()
    }

    /// What lies far from now is no word about now, on whichever side: a clock may have been set.
    fn forget(&mut self, now: i64) {
        self.minutes.retain(|(at, _)| at.abs_diff(now) < HOUR.unsigned_abs());
        self.refused.retain(|_, at| at.abs_diff(now) < SHORT_MINUTES.unsigned_abs());
    }
}

/// What a box sends on a usual day, from bytes by day: the mean of the days before today, since the
/// first of which anything is known.
pub fn usual(days: impl IntoIterator<Item = (Timestamp, u64)>, now: Timestamp) -> u64 {
    let today = day(now).0;
    let first = today.saturating_sub(i64::try_from(USUAL).unwrap_or(7) * DAY);
    let (mut since, mut sum) = (today, 0_u64);
    for (of, up) in days.into_iter().filter(|(of, _)| (first..today).contains(&of.0)) {
        since = since.min(of.0);
        sum = sum.saturating_add(up);
    }
    sum / (today.abs_diff(since) / DAY.unsigned_abs()).max(1)
}

/// Whether so much in an hour is sudden for whom so much in a day is usual.
pub fn is_sudden(hour: u64, usual: u64) -> bool {
    hour >= FLOOR && hour > usual.saturating_mul(TIMES)
}

const DAY: i64 = 24 * HOUR * MINUTE;

fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(MINUTE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: Timestamp = Timestamp(20_000 * DAY);
    const MIB: u64 = 1 << 20;

    fn after(minutes: i64) -> Timestamp {
        Timestamp(T0.0 + minutes * MINUTE)
    }

    #[test]
    fn the_last_hour_counts_and_no_more() {
        let mut watched = Watched::default();
        for at in 0..90 {
            watched.sent(MIB, after(at));
        }
        assert_eq!(watched.hour(after(89)), 60 * MIB);
        assert_eq!(watched.hour(after(148)), MIB);
        assert!(watched.is_calm(after(149)));
    }

    #[test]
    fn a_drip_is_seen_as_well_as_a_flood() {
        let mut watched = Watched::default();
        for at in 0..60 {
            watched.sent(2 * MIB, after(at));
        }
        assert!(is_sudden(watched.hour(after(59)), 0));
        watched.looked_at_sent();
        watched.sent(2 * MIB, after(60));
        assert!(!is_sudden(watched.hour(after(60)), 0), "it alarms once");
    }

    #[test]
    fn what_is_usual_alarms_nobody() {
        assert!(is_sudden(FLOOR, 0) && !is_sudden(FLOOR - 1, 0));
        assert!(!is_sudden(10 << 30, 5 << 30) && is_sudden((10 << 30) + 1, 5 << 30));
        let ago = |days: i64| Timestamp(T0.0 - days * DAY);
        let known = [(ago(0), 900), (ago(1), 10), (ago(1), 20), (ago(3), 60), (ago(8), 5_000)];
        assert_eq!(usual(known, after(700)), 30, "of three days, today and last week left out");
        assert_eq!(usual([], T0), 0);
    }

    #[test]
    fn strangers_are_told_apart_and_forgotten() {
        let mut watched = Watched::default();
        for n in 0..1_000 {
            watched.refused(&format!("{}.test", n % 7), after(0));
        }
        assert_eq!(watched.strangers(after(9)), 7);
        assert_eq!(watched.strangers(after(10)), 0);
        for n in 0..1_000 {
            watched.refused(&format!("{n}.test"), after(20));
        }
        assert_eq!(watched.strangers(after(20)), STRANGERS, "and no more are kept");
        watched.refused("late.test", after(40));
        assert_eq!(watched.strangers(after(40)), 1);
    }

    proptest! {
        #[test]
        fn no_clock_makes_it_grow(times in prop::collection::vec(any::<i64>(), 0..300), spread in 0..200_i64) {
            let mut watched = Watched::default();
            for (n, at) in times.into_iter().enumerate() {
                for at in [at, T0.0 + at.rem_euclid(spread + 1) * MINUTE] {
                    watched.sent(1, Timestamp(at));
                    watched.refused(&n.to_string(), Timestamp(at));
                    prop_assert!(watched.minutes.len() <= 300 && watched.refused.len() <= STRANGERS);
                }
                let _ = (watched.hour(Timestamp(at_end(n))), usual([(Timestamp(at_end(n)), 1)], Timestamp(i64::MIN)));
            }
        }
    }

    fn at_end(n: usize) -> i64 {
        if n.is_multiple_of(2) { i64::MAX } else { i64::MIN }
    }
}
