//! Finds processes that belong together through `/proc`, where no cgroup holds them.
//!
//! A member descends from the group's first process, or shares its session, or was orphaned and
//! carries the group's mark in its environment. One that clears its environment and detaches gets
//! away; that is what cgroups are for.

use std::collections::{HashMap, HashSet};

use rustix::process::{Pid, Signal, getpid, kill_process};
use smartbox_link::inherit::MARK;

struct Process {
    pid: i32,
    parent: i32,
    session: i32,
    zombie: bool,
}

/// Kills the members once. Says whether there were any.
pub(crate) fn kill(main: Option<Pid>, name: &str) -> bool {
    let marked = format!("{MARK}={name}");
    let main = main.map_or(0, Pid::as_raw_pid);
    strike(&|process| {
        process.pid == main || process.session == main || carries(process.pid, &marked)
    })
}

/// Kills every descendant of init once. Says whether there were any.
pub(crate) fn kill_all() -> bool {
    let own = getpid().as_raw_pid();
    strike(&|process| process.parent == own)
}

/// Kills what `belongs` picks and all that descends from it, leaving init.
fn strike(belongs: &dyn Fn(&Process) -> bool) -> bool {
    let all = processes();
    let own = getpid().as_raw_pid();
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    let mut queue = Vec::new();
    let parents: HashMap<i32, i32> = all.iter().map(|p| (p.pid, p.parent)).collect();
    for process in &all {
        children.entry(process.parent).or_default().push(process.pid);
        if process.pid != own && descends(process, own, &parents) && belongs(process) {
            queue.push(process.pid);
        }
    }
    let zombies: HashSet<i32> = all.iter().filter(|p| p.zombie).map(|p| p.pid).collect();
    let mut seen = HashSet::new();
    let mut some = false;
    while let Some(pid) = queue.pop() {
        if !seen.insert(pid) {
            continue;
        }
        queue.extend(children.get(&pid).into_iter().flatten());
        if !zombies.contains(&pid)
            && let Some(target) = Pid::from_raw(pid)
        {
            some = true;
            let _ = kill_process(target, Signal::KILL);
        }
    }
    some
}

/// Init that is not PID 1 sees processes which are none of its business.
fn descends(process: &Process, own: i32, parents: &HashMap<i32, i32>) -> bool {
    let mut parent = process.parent;
    for _ in 0..parents.len() {
        if parent == own {
            return true;
        }
        match parents.get(&parent) {
            Some(&next) if parent > 1 => parent = next,
            _ => return false,
        }
    }
    false
}

fn carries(pid: i32, marked: &str) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment.split(|&byte| byte == 0).any(|entry| entry == marked.as_bytes())
}

fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| {
            parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
        })
        .collect()
}

/// Reads `/proc/<pid>/stat`: the name in parentheses may hold anything, so fields count from its end.
fn parse(pid: i32, stat: &str) -> Option<Process> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Process { pid, parent, session, zombie })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_made_to_look_like_fields_is_not_taken_for_them() {
        let process = parse(7, "7 (a) Z 1 1) R) S 3 7 9 0 -1 4194560").unwrap();
        assert_eq!((process.parent, process.session, process.zombie), (3, 9, false));
        assert!(parse(7, "7 (").is_none());
        assert!(parse(7, "").is_none());
        assert!(parse(7, "7 (x) S").is_none());
    }

    #[test]
    fn the_own_process_is_listed() {
        assert!(processes().iter().any(|p| p.pid == getpid().as_raw_pid()));
    }
}
