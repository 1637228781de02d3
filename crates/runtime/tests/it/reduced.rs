//! The reduced profile: the same suite and attacks as an ordinary user.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use smartbox_core::sandbox::port::Runtime;
use smartbox_runtime::Profile;

use crate::bench::{Bench, new_id};
use crate::{attack, conformance, files, names, places, unboxed};

/// Whom root becomes to test it.
const NOBODY: u32 = 65_534;
const INNER: &str = "SMARTBOX_TEST_REDUCED";

/// This test program again, as an ordinary user, with one more word for the inner test.
fn again(program: &mut Command, word: &str) {
    program.args(["--exact", "reduced::inner", "--ignored", "--nocapture"]).env(INNER, word);
    let output = program.current_dir("/").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

#[test]
fn an_ordinary_user_has_boxes_too() {
    as_an_ordinary_user("any");
}

/// Runs the inner test as an ordinary user, with no cgroup of its own.
pub(crate) fn as_an_ordinary_user(word: &str) {
    let mut program = Command::new(std::env::current_exe().unwrap());
    if rustix::process::geteuid().is_root() {
        program.uid(NOBODY).gid(NOBODY);
    }
    again(&mut program, word);
}

/// As systemd does for a user's session: a cgroup that the user may write.
#[test]
fn a_delegated_cgroup_is_used() {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    let unified = mounts.lines().find_map(|line| line.strip_prefix("cgroup2 ")?.split(' ').next());
    let (Some(unified), true) = (unified, rustix::process::geteuid().is_root()) else { return };
    let dir = Path::new(unified).join(format!("smartbox-delegated-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    for name in ["", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"] {
        std::os::unix::fs::chown(dir.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let nobody = NOBODY.to_string();
    let mut program = Command::new("/bin/sh");
    program
        .args(["-c", "echo 0 > \"$0\"; exec setpriv --clear-groups --reuid \"$@\""])
        .arg(dir.join("cgroup.procs"))
        .args([&nobody, "--regid", &nobody])
        .arg(std::env::current_exe().unwrap());
    again(&mut program, "delegated");
    std::fs::remove_dir(&dir).unwrap();
}

#[tokio::test]
#[ignore = "run by the others here, as another user"]
async fn inner() {
    assert!(std::env::var_os(INNER).is_some() && !rustix::process::geteuid().is_root());
    if std::env::var(INNER).unwrap() == "unboxed" {
        return unboxed::suite().await;
    }
    let bench = Bench::new(Profile::Reduced).await;
    if std::env::var(INNER).unwrap() == "delegated" {
        let features = bench.native.capabilities().features;
        assert_eq!(features["freezer"].note, "cgroup.freeze", "{features:?}");
    }
    conformance::suite(&conformance::native(&bench)).await;
    let (id, other) = (bench.up().await, bench.up().await);
    std::fs::write(bench.native.home(&other).join("secret"), "hers").unwrap();
    attack::peeks(&bench, &id, &other).await;
    attack::reaches(&bench, &id).await;
    attack::privileges(&bench, &id).await;
    attack::calls(&bench, &id).await;
    names::answers(&bench).await;
    files::swaps(&bench, &id, &other).await;
    let (first, second) = (new_id(), bench.up().await);
    files::states(&bench, &first).await;
    files::oddities(&bench, &second).await;
    places::suite(&bench.native, &new_id()).await;
    bench.clean().await;
}
