//! The reduced profile: the same suite and attacks as an ordinary user.

use std::os::unix::process::CommandExt;
use std::process::Command;

use smartbox_runtime::Profile;

use crate::bench::Bench;
use crate::{attack, conformance};

/// Whom root becomes to test it.
const NOBODY: u32 = 65_534;
const INNER: &str = "SMARTBOX_TEST_REDUCED";

#[test]
fn an_ordinary_user_has_boxes_too() {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "reduced::inner", "--ignored", "--nocapture"]).env(INNER, "1");
    // Where this user may write and execute.
    again.env("TMPDIR", std::env::temp_dir()).current_dir("/");
    if rustix::process::geteuid().is_root() {
        again.uid(NOBODY).gid(NOBODY);
    }
    let output = again.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

#[tokio::test]
#[ignore = "run by `an_ordinary_user_has_boxes_too`, as another user"]
async fn inner() {
    assert!(std::env::var_os(INNER).is_some() && !rustix::process::geteuid().is_root());
    let bench = Bench::new(Profile::Reduced).await;
    conformance::suite(&conformance::native(&bench)).await;
    let (id, other) = (bench.up().await, bench.up().await);
    std::fs::write(bench.native.home(&other).join("secret"), "hers").unwrap();
    attack::peeks(&bench, &id, &other).await;
    attack::reaches(&bench, &id).await;
    attack::privileges(&bench, &id).await;
    attack::calls(&bench, &id).await;
    bench.clean().await;
}
