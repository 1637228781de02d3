//! Which limits can be put on a box.

use std::fs;

use rustix::fs::{Access, access};

use super::check::Check;

const WANTED: [&str; 4] = ["cpu", "memory", "pids", "freezer"];

pub(super) fn check() -> Check {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let writable = |path: &str| access(path, Access::WRITE_OK).is_ok();
    let unified =
        |path: &str| fs::read_to_string(format!("{path}/cgroup.controllers")).unwrap_or_default();
    judge(&mounts, writable, unified)
}

fn judge(
    mounts: &str,
    writable: impl Fn(&str) -> bool,
    controllers: impl Fn(&str) -> String,
) -> Check {
    const NAME: &str = "cgroups";
    let mut found: Vec<String> = Vec::new();
    for (path, kind, options) in mounts.lines().filter_map(mount) {
        if !writable(path) {
            continue;
        }
        if kind == "cgroup2" {
            found.extend(controllers(path).split_whitespace().map(str::to_owned));
            // Freezing is part of the second version itself.
            found.push("freezer".into());
        } else {
            found.extend(options.split(',').map(str::to_owned));
        }
    }
    let missing: Vec<&str> =
        WANTED.iter().filter(|name| !found.iter().any(|f| f == *name)).copied().collect();
    if missing.is_empty() {
        return Check::ok(NAME, "cpu, memory, process and freezer groups can be made");
    }
    let hint = "run `smartbox up` as root, or have these groups delegated to you: \
                systemctl edit user@.service, with Delegate=yes";
    let what = format!("no {} groups can be made", missing.join(", "));
    if missing.contains(&"freezer") {
        let what = format!("{what}: smartboxes cannot be frozen, and sleep by being stopped");
        return Check::warn(NAME, what, hint);
    }
    Check::warn(NAME, format!("{what}: these limits do not hold"), hint)
}

/// Mount point, file system and its options of a line of `mountinfo` that is about cgroups.
fn mount(line: &str) -> Option<(&str, &str, &str)> {
    let (left, right) = line.split_once(" - ")?;
    let path = left.split(' ').nth(4)?;
    let mut rest = right.split(' ');
    let kind = rest.next().filter(|kind| kind.starts_with("cgroup"))?;
    Some((path, kind, rest.nth(1).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    const HYBRID: &str = "\
        30 24 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n\
        32 24 0:28 / /sys/fs/cgroup/cpu rw,nosuid - cgroup cgroup rw,cpu,cpuacct\n\
        33 24 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        34 24 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
        35 24 0:31 / / rw - ext4 /dev/vda rw\n";

    #[test]
    fn both_versions_and_their_mixture_are_understood() {
        let check = judge(HYBRID, |_| true, |_| "hugetlb".into());
        assert_eq!(check.level, Level::Ok, "{check:?}");
        let second = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(judge(second, |_| true, |_| "cpu memory pids".into()).level, Level::Ok);
        let partly = judge(second, |_| true, |_| "pids".into());
        assert!(partly.what.contains("no cpu, memory groups"), "{partly:?}");
        let none = judge(second, |_| false, |_| "cpu memory pids".into());
        assert_eq!(none.level, Level::Warn);
        assert!(none.what.contains("cannot be frozen"));
    }
}
