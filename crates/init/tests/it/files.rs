//! Files of a home whose owner is hostile.

use std::os::unix::fs::{PermissionsExt, symlink};

use bytes::Bytes;
use smartbox_link::LinkError;
use smartbox_link::wire::MAX_ANSWER;

use crate::house::{House, command, run};

#[tokio::test]
async fn a_file_is_written_whole_with_its_mode_and_read_back() {
    let house = House::new();
    let link = house.link().await;
    assert!(link.read("a/b c/é.txt").await.unwrap().is_none());
    link.write("a/b c/é.txt", 0o640, Bytes::from_static(b"one")).await.unwrap();
    link.write("a/b c/é.txt", 0o600, Bytes::from_static(b"two")).await.unwrap();
    assert_eq!(link.read("a/b c/é.txt").await.unwrap().unwrap(), "two");
    let mode =
        |path: &str| std::fs::metadata(house.home().join(path)).unwrap().permissions().mode();
    assert_eq!(mode("a/b c/é.txt") & 0o7777, 0o600);
    assert_eq!(mode("a") & 0o7777, 0o700);
    assert_eq!(std::fs::read_dir(house.home().join("a/b c")).unwrap().count(), 1);
    let large = Bytes::from(vec![7; 5 << 20]);
    link.write("large", 0o644, large.clone()).await.unwrap();
    assert_eq!(link.read("large").await.unwrap().unwrap(), large);
    link.write("empty", 0o600, Bytes::new()).await.unwrap();
    assert_eq!(link.read("empty").await.unwrap().unwrap(), "");
}

#[tokio::test]
async fn nothing_outside_the_home_is_read_or_written() {
    let house = House::new();
    let link = house.link().await;
    let secret = house.dir.path().join("secret");
    std::fs::write(&secret, "secret").unwrap();
    symlink(&secret, house.home().join("absolute")).unwrap();
    symlink("../secret", house.home().join("relative")).unwrap();
    symlink("..", house.home().join("up")).unwrap();
    symlink("/proc/self/fd", house.home().join("magic")).unwrap();
    for path in [
        "absolute",
        "relative",
        "up/secret",
        "magic/6",
        "../secret",
        "/etc/passwd",
        "a/../../secret",
    ] {
        assert!(matches!(link.read(path).await, Err(LinkError::Refused(_))), "{path}");
    }
    for path in
        ["up/made", "up/secret", "magic/x", "../made", "/made", "x/../../made", "up/new/made"]
    {
        let written = link.write(path, 0o600, Bytes::from_static(b"x")).await;
        assert!(matches!(written, Err(LinkError::Refused(_))), "{path}: {written:?}");
    }
    // Over a link itself, a file takes the link's place.
    link.write("absolute", 0o600, Bytes::from_static(b"mine")).await.unwrap();
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "secret");
    assert_eq!(std::fs::read_to_string(house.home().join("absolute")).unwrap(), "mine");
    assert!(!house.dir.path().join("made").exists() && !house.dir.path().join("new").exists());
}

#[tokio::test]
async fn what_is_no_file_does_not_hold_anyone_up() {
    let house = House::new();
    let link = house.link().await;
    run(&link, command(&["mkfifo", "pipe"]), b"").await;
    std::fs::create_dir(house.home().join("dir")).unwrap();
    for path in ["pipe", "dir"] {
        assert!(matches!(link.read(path).await, Err(LinkError::Refused(_))), "{path}");
    }
    assert!(matches!(link.write("dir", 0o600, Bytes::new()).await, Err(LinkError::Refused(_))));
    link.write("pipe", 0o600, Bytes::from_static(b"file")).await.unwrap();
    assert_eq!(link.read("pipe").await.unwrap().unwrap(), "file");
}

#[tokio::test]
async fn sizes_and_modes_have_bounds() {
    let house = House::new();
    let link = house.link().await;
    let huge = std::fs::File::create(house.home().join("huge")).unwrap();
    huge.set_len(MAX_ANSWER as u64 + 1).unwrap();
    assert!(matches!(link.read("huge").await, Err(LinkError::Refused(_))));
    let written = link.write("x", 0o600, Bytes::from(vec![0; MAX_ANSWER + 1])).await;
    assert!(written.is_err());
    assert!(matches!(link.write("x", 0o4755, Bytes::new()).await, Err(LinkError::Refused(_))));
    crate::house::until(async || {
        let incoming = house.home().join(".smartbox/incoming");
        std::fs::read_dir(incoming).unwrap().next().is_none().then_some(())
    })
    .await;
    assert!(!house.home().join("x").exists());
}
