//! What the kernel gives for isolation. The floor is what `up` refuses to run below.

use std::fs;
use std::path::Path;

use super::check::Check;

/// Namespaces that every box has; without one of them there are no boxes.
const FLOOR: [&str; 4] = ["user", "mnt", "pid", "net"];
const MORE: [&str; 3] = ["uts", "ipc", "cgroup"];

pub(super) fn checks() -> Vec<Check> {
    let root = rustix::process::geteuid().is_root();
    vec![
        namespaces(Path::new("/"), root),
        seccomp(Path::new("/")),
        landlock(Path::new("/")),
        profile(root),
    ]
}

fn namespaces(root_dir: &Path, root: bool) -> Check {
    const NAME: &str = "namespaces";
    let has = |kind: &&&str| root_dir.join("proc/self/ns").join(kind).symlink_metadata().is_ok();
    let missing: Vec<&str> = FLOOR.iter().filter(|kind| !has(kind)).copied().collect();
    if !missing.is_empty() {
        let what =
            format!("the kernel has no {} namespaces: no smartbox can run", missing.join(", "));
        return Check::fail(NAME, what, "use a kernel with CONFIG_NAMESPACES and all below it");
    }
    let number = |path: &str| -> Option<u64> {
        fs::read_to_string(root_dir.join(path)).ok()?.trim().parse().ok()
    };
    if number("proc/sys/user/max_user_namespaces") == Some(0) {
        return Check::fail(
            NAME,
            "user namespaces are switched off: no smartbox can run",
            "sysctl -w user.max_user_namespaces=15000",
        );
    }
    if !root && number("proc/sys/kernel/unprivileged_userns_clone") == Some(0) {
        return Check::fail(
            NAME,
            "only root may make user namespaces here, and you are not root",
            "sysctl -w kernel.unprivileged_userns_clone=1, or run `smartbox up` as root",
        );
    }
    if !root && number("proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Check::fail(
            NAME,
            "AppArmor keeps ordinary users from making user namespaces",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run `smartbox up` as root",
        );
    }
    let fewer: Vec<&str> = MORE.iter().filter(|kind| !has(kind)).copied().collect();
    if fewer.is_empty() {
        return Check::ok(
            NAME,
            "user, mount, pid, network, uts, ipc and cgroup namespaces are there",
        );
    }
    let what = format!("the kernel has no {} namespaces", fewer.join(", "));
    Check::warn(NAME, what, "smartboxes run without them; a newer kernel has them")
}

fn seccomp(root_dir: &Path) -> Check {
    let actions = fs::read_to_string(root_dir.join("proc/sys/kernel/seccomp/actions_avail"));
    if actions.is_ok_and(|text| text.split_whitespace().any(|word| word == "errno")) {
        Check::ok("seccomp", "system calls can be filtered")
    } else {
        let hint = "use a kernel with CONFIG_SECCOMP_FILTER";
        Check::fail("seccomp", "system calls cannot be filtered: no smartbox can run", hint)
    }
}

fn landlock(root_dir: &Path) -> Check {
    const NAME: &str = "landlock";
    match fs::read_to_string(root_dir.join("sys/kernel/security/lsm")) {
        Ok(text) if text.trim().split(',').any(|word| word == "landlock") => {
            Check::ok(NAME, "files are guarded by Landlock too")
        }
        Ok(_) => Check::warn(
            NAME,
            "Landlock is off; namespaces guard the files alone",
            "add landlock to the kernel's lsm= list",
        ),
        // The file system with the list is often not mounted, and then nobody can tell from here.
        Err(_) => Check::ok(NAME, "`up` finds out whether the kernel has Landlock"),
    }
}

fn profile(root: bool) -> Check {
    if root {
        return Check::ok("user", "as root: the full profile, a uid and limits for each smartbox");
    }
    Check::warn(
        "user",
        "as an ordinary user: the reduced profile, with limits only where they are delegated",
        "run `smartbox up` as root for a uid and limits for each smartbox",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn with_namespaces(more: &[(&'static str, &'static str)]) -> tempfile::TempDir {
        let mut files = vec![];
        for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup"] {
            files.push((format!("proc/self/ns/{kind}"), ""));
        }
        files.extend(more.iter().map(|(path, text)| ((*path).to_owned(), *text)));
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        machine(&files)
    }

    #[test]
    fn what_stands_in_the_way_of_a_sandbox_is_named() {
        let good = with_namespaces(&[("proc/sys/user/max_user_namespaces", "96365\n")]);
        assert_eq!(namespaces(good.path(), false).level, Level::Ok);
        let off = with_namespaces(&[("proc/sys/user/max_user_namespaces", "0\n")]);
        assert_eq!(namespaces(off.path(), true).level, Level::Fail);
        let root_only = with_namespaces(&[("proc/sys/kernel/unprivileged_userns_clone", "0\n")]);
        assert_eq!(namespaces(root_only.path(), false).level, Level::Fail);
        assert_eq!(namespaces(root_only.path(), true).level, Level::Ok);
        let ubuntu =
            with_namespaces(&[("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")]);
        assert!(namespaces(ubuntu.path(), false).what.contains("AppArmor"));
        let bare = machine(&[("proc/self/ns/user", "")]);
        assert!(namespaces(bare.path(), true).what.contains("mnt, pid, net"));
    }

    #[test]
    fn filters_and_landlock_are_read_from_the_kernel() {
        let path = "proc/sys/kernel/seccomp/actions_avail";
        let good = machine(&[
            (path, "kill_process errno allow\n"),
            ("sys/kernel/security/lsm", "capability,landlock,bpf"),
        ]);
        assert_eq!(seccomp(good.path()).level, Level::Ok);
        assert_eq!(landlock(good.path()).what, "files are guarded by Landlock too");
        let bad = machine(&[("sys/kernel/security/lsm", "capability")]);
        assert_eq!(seccomp(bad.path()).level, Level::Fail);
        assert_eq!(landlock(bad.path()).level, Level::Warn);
    }
}
