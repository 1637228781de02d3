//! Pushing a frozen box's memory to swap.

use std::fs;

use rustix::process::{Pid, PidfdFlags};

use super::sys;

/// The kernel takes as many ranges in one call.
const BATCH: usize = 1024;

/// Best effort: what cannot be paged out stays where it is.
pub(super) fn page_out(pids: &[i32]) {
    for number in pids {
        let Some(pid) = Pid::from_raw(*number) else { continue };
        let Ok(fd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { continue };
        let maps = fs::read_to_string(format!("/proc/{number}/maps")).unwrap_or_default();
        let ranges: Vec<(usize, usize)> = maps.lines().filter_map(range).collect();
        for batch in ranges.chunks(BATCH) {
            if let Err(error) = sys::page_out(&fd, batch) {
                one_by_one(&fd, batch, &error);
            }
        }
    }
}

/// The kernel stops at the first range that it cannot page out (locked, special).
fn one_by_one(fd: &std::os::fd::OwnedFd, batch: &[(usize, usize)], first: &std::io::Error) {
    let failed = batch.iter().filter(|range| sys::page_out(fd, &[**range]).is_err()).count();
    if failed == batch.len() {
        tracing::debug!(%first, "nothing could be paged out");
    }
}

/// Address and length of a line of `maps` that is worth it.
fn range(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let permissions = words.next()?;
    let name = words.nth(3).unwrap_or("");
    if permissions.starts_with("---") || matches!(name, "[vvar]" | "[vdso]" | "[vsyscall]") {
        return None;
    }
    let start = usize::from_str_radix(start, 16).ok()?;
    Some((start, usize::from_str_radix(end, 16).ok()?.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps_become_ranges() {
        let line = "7f00-8f00 rw-p 00000000 00:00 0    [heap]";
        assert_eq!(range(line), Some((0x7f00, 0x1000)));
        assert_eq!(range("7f00-8f00 ---p 00000000 00:00 0"), None);
        assert_eq!(range("7f00-8f00 r--p 00000000 00:00 0 [vvar]"), None);
        assert_eq!(range("not a line"), None);
    }
}
