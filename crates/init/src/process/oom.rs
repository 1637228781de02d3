//! Tells running out of memory from other deaths: the cgroup counts the processes that it killed.

use std::os::fd::OwnedFd;

/// The counter file of the engine's cgroup, if there is one.
pub(crate) struct OomCounter(Option<OwnedFd>);

impl OomCounter {
    /// `memory.events` (version 2) or `memory.oom_control` (version 1).
    pub(crate) fn new(fd: Option<OwnedFd>) -> Self {
        Self(fd)
    }

    /// Processes killed for want of memory so far; 0 if that is not counted.
    pub(crate) fn count(&self) -> u64 {
        let mut bytes = [0; 1024];
        let Some(fd) = &self.0 else { return 0 };
        let Ok(len) = rustix::io::pread(fd, &mut bytes[..], 0) else { return 0 };
        parse(&String::from_utf8_lossy(&bytes[..len]))
    }
}

fn parse(text: &str) -> u64 {
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_cgroups_are_read() {
        assert_eq!(parse("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"), 2);
        assert_eq!(parse("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), 7);
        assert_eq!(parse(""), 0);
        assert_eq!(parse("oom_kill nonsense"), 0);
    }
}
