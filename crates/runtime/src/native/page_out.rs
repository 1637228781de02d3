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
        let mut rest = ranges.as_slice();
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(BATCH)];
            rest = &rest[through(batch, sys::page_out(&fd, batch).unwrap_or(0))..];
        }
    }
}

/// How many ranges of a batch are dealt with once the kernel got through so many bytes: the one at
/// which it stopped (locked, special) is passed over.
fn through(batch: &[(usize, usize)], mut bytes: usize) -> usize {
    for (index, (_, length)) in batch.iter().enumerate() {
        match bytes.checked_sub(*length) {
            Some(left) => bytes = left,
            None => return index + 1,
        }
    }
    batch.len()
}

/// Address and length of a line of `maps` that is worth it.
fn range(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let permissions = words.next()?;
    let name = words.nth(3).unwrap_or("");
    if permissions.starts_with("---") || name.starts_with("[v") {
        return None;
    }
    let start = usize::from_str_radix(start, 16).ok()?;
    Some((start, usize::from_str_radix(end, 16).ok()?.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn the_kernel_takes_the_ranges_of_another_process() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let piped = std::process::Stdio::piped;
        let mut cat = std::process::Command::new("cat");
        let mut child = cat.stdin(piped()).stdout(piped()).spawn().unwrap();
        // Once it echoes, its memory stays as it is.
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        stdin.write_all(b"x").unwrap();
        stdout.read_exact(&mut [0]).unwrap();
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        let fd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let maps = fs::read_to_string(format!("/proc/{}/maps", child.id())).unwrap();
        let ranges: Vec<(usize, usize)> = maps.lines().filter_map(range).collect();
        assert!(!ranges.is_empty());
        let whole: usize = ranges.iter().map(|(_, length)| length).sum();
        assert_eq!(sys::page_out(&fd, &ranges).unwrap(), whole);
        drop(stdin);
        child.wait().unwrap();
    }

    #[test]
    fn what_cannot_be_paged_out_is_passed_over() {
        let batch = [(0, 10), (20, 10), (40, 10)];
        assert_eq!(through(&batch, 0), 1);
        assert_eq!(through(&batch, 10), 2);
        assert_eq!(through(&batch, 25), 3);
        assert_eq!(through(&batch, 30), 3);
    }

    #[test]
    fn lines_of_maps_become_ranges() {
        let line = "7f00-8f00 rw-p 00000000 00:00 0    [heap]";
        assert_eq!(range(line), Some((0x7f00, 0x1000)));
        assert_eq!(range("7f00-8f00 ---p 00000000 00:00 0"), None);
        assert_eq!(range("7f00-8f00 r--p 00000000 00:00 0 [vvar]"), None);
        assert_eq!(range("not a line"), None);
    }
}
