//! Which snapshots are kept: a pure function of their numbers and dates, in UTC. It knows no clock, so
//! that one that was moved removes nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Generation;
use crate::time::Timestamp;

/// What to keep. Each rule is met on its own; what any of them keeps is kept. The newest always is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SnapshotKeep)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// The last ones, by number.
    pub last: u32,
    /// The youngest of an hour, for this many hours that have one.
    pub hourly: u32,
    /// The youngest of a day.
    pub daily: u32,
    /// The youngest of a week, which begins on Monday.
    pub weekly: u32,
    /// The youngest of a month.
    pub monthly: u32,
}

/// What the rules see of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    /// Its number: the order in which things happened, whatever the clock said.
    pub generation: Generation,
    /// What the clock said.
    pub taken: Timestamp,
}

/// The first second of a period begins at a whole number of these.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The period that a time is in, as a number.
type Period = fn(Timestamp) -> i64;

impl Keep {
    /// Which of `all` are kept, in their order.
    pub fn choose(&self, all: &[Dated]) -> Vec<bool> {
        let mut kept = vec![false; all.len()];
        let by_number = youngest_first(all, |one| (one.generation, one.taken));
        for at in by_number.iter().take(self.last.max(1) as usize) {
            kept[*at] = true;
        }
        let by_date = youngest_first(all, |one| (one.taken, one.generation));
        let periods: [(u32, Period); 4] = [
            (self.hourly, |at| at.0.div_euclid(HOUR)),
            (self.daily, day),
            // 1970 began on a Thursday, three days into a week.
            (self.weekly, |at| (day(at) + 3).div_euclid(7)),
            (self.monthly, |at| month(day(at))),
        ];
        for (count, period) in periods {
            let mut left = count;
            let mut last = None;
            for at in &by_date {
                let this = period(all[*at].taken);
                if left > 0 && last != Some(this) {
                    kept[*at] = true;
                    last = Some(this);
                    left -= 1;
                }
            }
        }
        kept
    }
}

fn youngest_first<K: Ord>(all: &[Dated], key: impl Fn(&Dated) -> K) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|a, b| key(&all[*b]).cmp(&key(&all[*a])));
    order
}

fn day(at: Timestamp) -> i64 {
    at.0.div_euclid(DAY)
}

/// The month of a day since 1970, counted on without a gap. The Gregorian calendar as in C++'s
/// `year_month_day`: years that begin in March, so that the leap day is the last of one.
fn month(day: i64) -> i64 {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    (era * 400 + year) * 12 + (5 * of_year + 2) / 153
}

/// The text is not a rule of what to keep.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not what to keep: write counts like `last=24,hourly=48,daily=30,weekly=8,monthly=12`"
)]
pub struct BadKeep(pub String);

/// The most that one of the counts can be.
const MOST: u32 = 10_000;

impl std::str::FromStr for Keep {
    type Err = BadKeep;
    fn from_str(text: &str) -> Result<Self, BadKeep> {
        let bad = || BadKeep(text.chars().take(80).collect());
        let mut keep = Self::default();
        for part in text.split(',') {
            let (word, count) = part.trim().split_once('=').ok_or_else(bad)?;
            let count = count.trim().parse().ok().filter(|count| *count <= MOST).ok_or_else(bad)?;
            match word.trim() {
                "last" => keep.last = count,
                "hourly" => keep.hourly = count,
                "daily" => keep.daily = count,
                "weekly" => keep.weekly = count,
                "monthly" => keep.monthly = count,
                _ => return Err(bad()),
            }
        }
        Ok(keep)
    }
}

impl std::fmt::Display for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { last, hourly, daily, weekly, monthly } = self;
        write!(f, "last={last},hourly={hourly},daily={daily},weekly={weekly},monthly={monthly}")
    }
}

#[cfg(test)]
mod tests;
