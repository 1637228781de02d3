//! Landlock: the second fence around whatever init starts. Best effort; the namespaces are the first.

use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access, AccessFs, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules,
};

/// Where a box may write, besides its home. `/dev/shm` is listed since `/dev` itself allows less.
const SCRATCH: [&str; 5] = ["/tmp", "/var/tmp", "/run", "/dev/shm", "/dev/mqueue"];

/// A rule set, ready to be put on in a child between fork and exec.
pub(crate) struct Landlock {
    pub(crate) fd: OwnedFd,
    /// The kernel's version of it, for people.
    pub(crate) version: i64,
}

/// Prepares the rules; `None` where the kernel has no Landlock that lets files move between
/// directories (version 1 forbids that to everyone, which breaks npm and git).
pub(crate) fn landlock(home: &str) -> Option<Landlock> {
    let version = version();
    if version < 2 {
        return None;
    }
    let all = AccessFs::from_all(ABI::V5);
    let read = AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::Execute;
    let devices: BitFlags<AccessFs> = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::IoctlDev;
    let rules = Ruleset::default()
        .handle_access(all)
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules(["/"], read)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(["/dev"], devices)))
        .and_then(|rules| rules.add_rules(path_beneath_rules(SCRATCH, all)))
        .and_then(|rules| rules.add_rules(path_beneath_rules([home], all)))
        .ok()?;
    Option::<OwnedFd>::from(rules).map(|fd| Landlock { fd, version })
}

/// What confines the processes of this box, by name.
pub(crate) fn names(landlock: Option<&Landlock>, cgroup: bool) -> Vec<String> {
    let mut names = vec!["no-new-privs".to_owned(), "non-dumpable-init".to_owned()];
    names.extend(landlock.map(|landlock| format!("landlock-{}", landlock.version)));
    if seccomp() {
        names.push("seccomp".into());
    }
    if cgroup {
        names.push("cgroup-per-exec".into());
    }
    names
}

#[expect(unsafe_code, reason = "the crate does not tell the kernel's version")]
fn version() -> i64 {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the call reads no memory and makes nothing.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, VERSION) }
}

#[expect(unsafe_code, reason = "rustix wraps this prctl for setting only")]
fn seccomp() -> bool {
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP) == 2 }
}
