//! How much a box may send and fetch: so many connections in a minute, so many bytes in a day (UTC).
//!
//! Time comes from a wall clock, which may be set back. A clock that goes back by less than a period
//! is waited for, so that nobody gets a period anew by it; one that goes back further was wrong before,
//! and is believed from now on, so that nobody is locked out until it is right again.

use std::time::Duration;

use super::{Refusal, day};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);
/// What one connection costs. In a millisecond as much comes back as connections are allowed in a
/// minute, so that nothing is rounded.
const COST: u64 = 60_000;

/// What a box may at the most. Zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    /// New connections and requests in a minute.
    pub per_minute: u32,
    /// Bytes towards hosts in a day.
    pub up: u64,
    /// Bytes from hosts in a day.
    pub down: u64,
}

impl Quota {
    /// How long to wait after a refusal by one of these; none after another refusal.
    pub fn again(&self, why: Refusal, now: Timestamp) -> Option<Duration> {
        match why {
            Refusal::Rate => Some(MINUTE / self.per_minute.max(1)),
            Refusal::Volume => Some(day(now).plus(DAY).since(now)),
            _ => None,
        }
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Towards the host.
    Up,
    /// Towards the box.
    Down,
}

/// What a box has used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// The day that the bytes are of.
    day: Timestamp,
    up: u64,
    down: u64,
    /// What is missing from a full bucket of connections, in [`COST`]s' parts.
    missing: u64,
    /// When something came back into it last.
    filled: Timestamp,
}

impl Spent {
    /// Nothing.
    pub fn new(now: Timestamp) -> Self {
        Self { day: day(now), up: 0, down: 0, missing: 0, filled: now }
    }

    /// What the account says: bytes up and down by day. Those of tomorrow count too: there the clock
    /// was, before it went back.
    pub fn recall(days: impl IntoIterator<Item = (Timestamp, u64, u64)>, now: Timestamp) -> Self {
        let mut spent = Self::new(now);
        let (today, last) = (spent.day, spent.day.plus(DAY));
        for (of, up, down) in days.into_iter().filter(|(of, ..)| (today..=last).contains(of)) {
            spent.day = spent.day.max(of);
            spent.up = spent.up.saturating_add(up);
            spent.down = spent.down.saturating_add(down);
        }
        spent
    }

    /// One connection, or one request.
    pub fn enter(&mut self, quota: &Quota, now: Timestamp) -> Result<(), Refusal> {
        self.tick(quota, now);
        let over = |limit: u64, used: u64| limit > 0 && used >= limit;
        if over(quota.up, self.up) || over(quota.down, self.down) {
            return Err(Refusal::Volume);
        }
        if quota.per_minute > 0 {
            let missing = self.missing.saturating_add(COST);
            if missing > full(quota) {
                return Err(Refusal::Rate);
            }
            self.missing = missing;
        }
        Ok(())
    }

    /// So many bytes want to pass; how many may. What may is used up by the asking, so that two who
    /// ask at once cannot both have the last.
    pub fn pass(&mut self, quota: &Quota, way: Way, bytes: usize, now: Timestamp) -> usize {
        self.tick(quota, now);
        let (limit, used) = match way {
            Way::Up => (quota.up, &mut self.up),
            Way::Down => (quota.down, &mut self.down),
        };
        let left = if limit == 0 { u64::MAX } else { limit.saturating_sub(*used) };
        let may = left.min(bytes as u64);
        *used = used.saturating_add(may);
        usize::try_from(may).unwrap_or(bytes)
    }

    /// Time went on.
    fn tick(&mut self, quota: &Quota, now: Timestamp) {
        let today = day(now);
        if today > self.day {
            (self.day, self.up, self.down) = (today, 0, 0);
        } else if self.day.since(today) > DAY {
            self.day = today;
        }
        if now >= self.filled {
            let back = u64::try_from(now.since(self.filled).as_millis()).unwrap_or(u64::MAX);
            let back = back.saturating_mul(quota.per_minute.into());
            self.missing = self.missing.saturating_sub(back);
            self.filled = now;
        } else if self.filled.since(now) > MINUTE {
            self.filled = now;
        }
        // The limit may have been lowered meanwhile.
        self.missing = self.missing.min(full(quota));
    }
}

fn full(quota: &Quota) -> u64 {
    u64::from(quota.per_minute) * COST
}

#[cfg(test)]
mod tests;
