//! Processes by way of `/proc`: what cgroups cannot tell, or where there are none.

use std::collections::HashMap;
use std::fs;

use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use smartbox_core::sandbox::Memory;

/// Kills one process by its pid, by way of a descriptor.
pub(crate) fn kill_pid(pid: i32) {
    signal_pid(pid, Signal::KILL);
}

/// Sends a signal. A process that is gone needs none.
pub(super) fn signal_pid(pid: i32, signal: Signal) {
    let Some(pid) = Pid::from_raw(pid) else { return };
    if let Ok(fd) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        let _ = rustix::process::pidfd_send_signal(fd, signal);
    }
}

/// Every process whose ancestor is `of`, by its pid and state letter. `of` itself is not among them.
pub(super) fn descendants(of: i32) -> Vec<(i32, char)> {
    let mut children: HashMap<i32, Vec<(i32, char)>> = HashMap::new();
    for (pid, state, parent) in listed() {
        children.entry(parent).or_default().push((pid, state));
    }
    let mut found = Vec::new();
    let mut next = vec![of];
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            next.push(child.0);
            found.push(child);
        }
    }
    found
}

/// Every process of the machine, by its pid and state letter.
pub(super) fn all() -> Vec<(i32, char)> {
    listed().into_iter().map(|(pid, state, _)| (pid, state)).collect()
}

/// Every process with its state letter and its parent.
fn listed() -> Vec<(i32, char, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| stat(pid).map(|(state, parent)| (pid, state, parent)))
        .collect()
}

/// Takes the status of children of ours that were first in a process namespace and ended before
/// they became init; nobody else here has such children. `false` while one is still on its way.
///
/// For those whose helper was killed before it could tell of them.
pub(super) fn reap_lost() -> bool {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    let mut settled = true;
    for pid in entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok()) {
        let Some((state, parent)) = stat(pid) else { continue };
        if parent != own || !is_first(pid) || is_init(pid) {
            continue;
        }
        if state == 'Z' {
            let id = Pid::from_raw(pid).map(WaitId::Pid);
            let _ = id.map(|id| {
                rustix::process::waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
            });
        } else {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let arg = crate::nest::ARG.as_bytes();
            settled &= !line.split(|byte| *byte == 0).any(|word| word == arg);
        }
    }
    settled
}

/// Whether a process became init, so that its pid is known and somebody waits for it.
fn is_init(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "init")
}

/// Whether a process is the first one of a process namespace beneath ours.
fn is_first(pid: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let numbers = text.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

/// State letter and parent.
fn stat(pid: i32) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, parentheses too.
    let mut rest = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

/// What these processes hold. Pages that they share count for each.
pub(super) fn memory(pids: &[i32]) -> Memory {
    let mut sum = Memory::default();
    for pid in pids {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kilobytes = |key: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        sum.resident += kilobytes("VmRSS:") << 10;
        sum.swapped += kilobytes("VmSwap:") << 10;
    }
    sum
}

/// The soft limit on file size: `None` if the process is gone, `Some(None)` without a limit.
pub(super) fn file_limit(pid: i32) -> Option<Option<u64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max file size"))?;
    Some(line.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_beneath_its_parent() {
        let mut child =
            std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let id = i32::try_from(child.id()).unwrap();
        assert!(descendants(own).iter().any(|(pid, _)| *pid == id));
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn our_own_memory_is_counted() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(memory(&[own]).resident > 100 << 10);
    }
}
