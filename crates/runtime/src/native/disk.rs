//! The limit of a home where the file system has no quota: measured, then enforced.
//!
//! What holds: no file grows past the limit (RLIMIT_FSIZE from the first instruction). When the
//! whole home has reached it, every process of the engine is told by the kernel that files may not
//! grow (the soft RLIMIT_FSIZE becomes 0, which the filter keeps them from changing); they may
//! still delete. Whoever grows the home by another tenth regardless is killed. So a filler gets
//! past its limit by what it can write in one look (a quarter of a second and one walk of the
//! home). It holds while the control plane runs.
//!
//! A home with more files than anybody has ([`ENDLESS`]) is at its limit, and whether it grows is seen by
//! the file system alone: a home that goes on filling it is killed like any other.

use std::time::{Duration, Instant};

use super::usage::ENDLESS;

/// What is known of one home.
#[derive(Debug)]
pub(super) struct Disk {
    limit: u64,
    used: u64,
    /// Free bytes of the file system when it was measured.
    free: u64,
    /// Those that there were when a home became endless, or was killed for it.
    mark: u64,
    measured: Option<Instant>,
    took: Duration,
    pub(super) shut: bool,
}

/// What to do about a home that was measured.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing new.
    Fine,
    /// Files may not grow any more.
    Shut,
    /// They may again.
    Open,
    /// It grew although it may not.
    Kill,
}

/// A home is measured at the latest after this.
const STALE: Duration = Duration::from_secs(60);
/// A shut home is measured again this often if the file system changes.
const SHUT: Duration = Duration::from_secs(1);
/// Growth that is not worth a look.
const LITTLE: u64 = 1 << 20;

impl Disk {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, used: 0, free: 0, mark: 0, measured: None, took: Duration::ZERO, shut: false }
    }

    /// The bytes that it held when it was measured last.
    pub(super) fn used(&self) -> Option<u64> {
        self.measured.map(|_| self.used)
    }

    /// Whether to measure, given the free bytes of the file system: a home cannot grow without
    /// taking from them, so one cheap question saves most walks.
    pub(super) fn is_due(&self, now: Instant, free: u64) -> bool {
        if self.limit == 0 {
            return false;
        }
        let Some(measured) = self.measured else { return true };
        let age = now.saturating_duration_since(measured);
        let grown = self.free.saturating_sub(free);
        let room = self.limit.saturating_sub(self.used);
        // Walking must not become the load itself, unless the limit may have been passed.
        let urgent = grown >= room && self.used != ENDLESS;
        let rest = if urgent { self.took } else { self.took * 5 };
        age >= STALE.max(self.took * 5)
            || (age >= rest && grown >= (room / 2).max(LITTLE))
            || (self.shut && free != self.free && age >= SHUT.max(rest))
    }

    /// Takes a measurement in.
    pub(super) fn measured(
        &mut self,
        now: Instant,
        took: Duration,
        free: u64,
        used: u64,
    ) -> Verdict {
        let slack = (self.limit / 10).max(16 * LITTLE);
        let endless = used == ENDLESS && self.used == ENDLESS;
        if !endless {
            self.mark = free;
        }
        let grew = if endless { free.saturating_add(slack) < self.mark } else { used > self.used };
        (self.measured, self.took, self.free, self.used) = (Some(now), took, free, used);
        if used >= self.limit.saturating_add(slack) && self.shut && grew {
            self.mark = free;
            Verdict::Kill
        } else if used >= self.limit && !self.shut {
            self.shut = true;
            Verdict::Shut
        } else if self.shut && used < self.limit / 10 * 9 {
            self.shut = false;
            Verdict::Open
        } else {
            Verdict::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_home_is_shut_at_its_limit_and_opened_below_nine_tenths() {
        let now = Instant::now();
        let mut disk = Disk::new(100 * MIB);
        let took = Duration::ZERO;
        assert_eq!(disk.measured(now, took, 0, 99 * MIB), Verdict::Fine);
        assert_eq!(disk.measured(now, took, 0, 101 * MIB), Verdict::Shut);
        assert_eq!(disk.measured(now, took, 0, 101 * MIB), Verdict::Fine);
        assert_eq!(disk.measured(now, took, 0, 120 * MIB), Verdict::Kill);
        assert_eq!(disk.measured(now, took, 0, 95 * MIB), Verdict::Fine);
        assert_eq!(disk.measured(now, took, 0, 89 * MIB), Verdict::Open);
    }

    #[test]
    fn a_home_with_too_many_files_is_shut_and_killed_if_the_file_system_goes_on_filling() {
        let (now, took) = (Instant::now(), Duration::from_secs(30));
        let mut disk = Disk::new(100 * MIB);
        assert_eq!(disk.measured(now, took, 1000 * MIB, ENDLESS), Verdict::Shut);
        assert_eq!(disk.measured(now, took, 1000 * MIB, ENDLESS), Verdict::Fine);
        assert_eq!(disk.measured(now, took, 990 * MIB, ENDLESS), Verdict::Fine);
        // Slowly, too.
        assert_eq!(disk.measured(now, took, 980 * MIB, ENDLESS), Verdict::Kill);
        assert_eq!(disk.measured(now, took, 970 * MIB, ENDLESS), Verdict::Fine);
        // A walk of half a minute is not walked again each minute.
        assert!(!disk.is_due(now + Duration::from_secs(100), 970 * MIB));
        assert!(disk.is_due(now + Duration::from_secs(151), 970 * MIB));
        assert_eq!(disk.measured(now, took, 1000 * MIB, 50 * MIB), Verdict::Open);
    }

    #[test]
    fn shrinking_is_never_punished() {
        let mut disk = Disk::new(10 * MIB);
        let now = Instant::now();
        disk.measured(now, Duration::ZERO, 0, 90 * MIB);
        assert_eq!(disk.measured(now, Duration::ZERO, 0, 80 * MIB), Verdict::Fine);
    }

    #[test]
    fn a_file_system_that_stays_as_it_is_causes_no_walk() {
        let now = Instant::now();
        let mut disk = Disk::new(100 * MIB);
        assert!(disk.is_due(now, 1000 * MIB));
        disk.measured(now, Duration::ZERO, 1000 * MIB, 40 * MIB);
        let later = now + Duration::from_secs(5);
        assert!(!disk.is_due(later, 1000 * MIB));
        assert!(!disk.is_due(later, 980 * MIB));
        assert!(disk.is_due(later, 960 * MIB));
        assert!(disk.is_due(now + STALE, 1000 * MIB));
        assert!(!Disk::new(0).is_due(now, 0));
    }
}
