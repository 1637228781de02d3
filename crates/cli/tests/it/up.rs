//! What stands in `up`'s way is said with a hint and a code, before anything is made that lasts.

use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::run::run;

/// Nothing that a person would have to clean up: no records, no boxes, no engine.
fn nothing_made(dir: &Path) -> bool {
    ["smartbox.db", "boxes", "engines/.lock"].iter().all(|name| !dir.join(name).exists())
}

#[tokio::test]
async fn a_wrong_configuration_is_20_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("smartbox.toml"), "[htttp]\n").unwrap();
    let ended = run(dir.path(), &["up", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(ended.code, Some(20), "{ended:?}");
    assert!(ended.err.contains("there is no key `htttp`"), "{ended:?}");
    assert!(ended.err.contains("hint: did you mean `http`?"), "{ended:?}");
    assert!(nothing_made(dir.path()));
    let ended = run(dir.path(), &["up", "--server", "http://127.0.0.1:1"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[tokio::test]
async fn a_taken_port_is_21() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(dir.path(), &["up", "--listen", &address]).await;
    assert_eq!(ended.code, Some(21), "{ended:?}");
    assert!(ended.err.contains(&format!("error: {address} is taken")), "{ended:?}");
    assert!(ended.err.contains("hint: choose another address"), "{ended:?}");
    assert!(nothing_made(dir.path()));
}

#[tokio::test]
async fn a_second_platform_on_one_directory_is_22() {
    let dir = tempfile::tempdir().unwrap();
    let lock = std::fs::File::create(dir.path().join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let ended = run(dir.path(), &["up", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(ended.code, Some(22), "{ended:?}");
    assert!(ended.err.contains("another `smartbox up` runs on"), "{ended:?}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_23() {
    // Nobody makes directories there, root neither.
    let ended = run(Path::new("/proc/smartbox"), &["up", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(ended.code, Some(23), "{ended:?}");
    assert!(
        ended.err.contains("error: the data directory /proc/smartbox cannot be used"),
        "{ended:?}"
    );
    assert!(ended.err.contains("hint: choose another place with --data-dir"), "{ended:?}");
}
