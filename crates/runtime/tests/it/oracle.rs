//! `bwrap` as the oracle: what it isolates, we isolate.

use std::process::Command;

use smartbox_runtime::Profile;

use crate::bench::Bench;

const KINDS: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

#[tokio::test]
async fn a_box_has_every_namespace_that_bubblewrap_makes() {
    let list = KINDS.map(|kind| format!("/proc/self/ns/{kind}")).join(" ");
    let line = format!("readlink {list}");
    let host = Command::new("/bin/sh").args(["-c", &line]).output().unwrap();
    let host: Vec<String> =
        String::from_utf8(host.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(host.len(), KINDS.len());
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let ours = bench.says(&id, &["/bin/sh", "-c", &line]).await;
    for ((kind, ours), host) in KINDS.iter().zip(ours.lines()).zip(&host) {
        assert_ne!(ours, host, "the box has the host's {kind} namespace");
    }
    let theirs = Command::new("bwrap")
        .args(["--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"])
        .args(["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"])
        .args(["--proc", "/proc", "/bin/sh", "-c", &line])
        .output();
    // Where there is no bwrap, the comparison with the host above stands alone.
    if let Ok(theirs) = theirs
        && theirs.status.success()
    {
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        for ((kind, theirs), host) in KINDS.iter().zip(theirs.lines()).zip(&host) {
            assert_ne!(theirs, host, "the oracle has the host's {kind} namespace");
        }
    }
    bench.clean().await;
}
