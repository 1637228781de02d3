//! The clock by which file systems date changes. It moves in steps: what changes twice within one looks
//! as if it had changed once.

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::wire::Time;

/// What a file that changes now is dated at least. Nothing else tells it: the order's time is the
/// caller's clock, and this one is the kernel's.
pub(crate) fn now() -> Time {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    Time(now.tv_sec, u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Waits until what changes from now on is dated after `last`, and says whether it will be. A step takes
/// ten milliseconds at most; what is dated further ahead is not waited for.
pub(crate) fn pass(last: Time) -> bool {
    const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000 };
    for _ in 0..60 {
        if now() > last {
            return true;
        }
        let _ = rustix::thread::nanosleep(&PAUSE);
    }
    false
}
