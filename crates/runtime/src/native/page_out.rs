//! Pushing a frozen box's memory to swap.

use std::fs;

use super::advise::{Advice, Range, advise};

/// Best effort: what cannot be paged out stays where it is.
pub(super) fn page_out(pids: &[i32]) {
    for pid in pids {
        advise(*pid, &ranges(*pid), Advice::PageOut);
    }
}

/// What a process has mapped and is worth it.
pub(super) fn ranges(pid: i32) -> Vec<Range> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    maps.lines().filter_map(range).collect()
}

/// Address and length of a line of `maps` that is worth it.
fn range(line: &str) -> Option<Range> {
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

    use super::super::sys;
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
        let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        let ranges = ranges(child.id().try_into().unwrap());
        assert!(!ranges.is_empty());
        let whole: usize = ranges.iter().map(|(_, length)| length).sum();
        assert_eq!(sys::advise(&fd, &ranges, Advice::PageOut).unwrap(), whole);
        assert_eq!(sys::advise(&fd, &ranges, Advice::WillNeed).unwrap(), whole);
        drop(stdin);
        child.wait().unwrap();
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
