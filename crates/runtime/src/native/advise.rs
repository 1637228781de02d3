//! Telling the kernel what will become of another process's memory.

use rustix::process::{Pid, PidfdFlags};

use super::sys;
pub(super) use super::sys::Advice;

/// The kernel takes as many ranges in one call.
const BATCH: usize = 1024;

/// Address and length of a piece of memory, bytes.
pub(super) type Range = (usize, usize);

/// Best effort: a range that the kernel does not take (locked, special, gone) is passed over, and so is a
/// process that is gone.
pub(super) fn advise(pid: i32, ranges: &[Range], advice: Advice) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    let Ok(fd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    let mut rest = ranges;
    while !rest.is_empty() {
        let batch = &rest[..rest.len().min(BATCH)];
        rest = &rest[through(batch, sys::advise(&fd, batch, advice).unwrap_or(0))..];
    }
}

/// How many ranges of a batch are dealt with once the kernel got through so many bytes: the one at
/// which it stopped is passed over.
fn through(batch: &[Range], mut bytes: usize) -> usize {
    for (index, (_, length)) in batch.iter().enumerate() {
        match bytes.checked_sub(*length) {
            Some(left) => bytes = left,
            None => return index + 1,
        }
    }
    batch.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_does_not_take_is_passed_over() {
        let batch = [(0, 10), (20, 10), (40, 10)];
        assert_eq!(through(&batch, 0), 1);
        assert_eq!(through(&batch, 10), 2);
        assert_eq!(through(&batch, 25), 3);
        assert_eq!(through(&batch, 30), 3);
    }
}
