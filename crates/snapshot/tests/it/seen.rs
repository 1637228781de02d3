//! Whether a home has changed, and the note that says so.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::Takes;

use crate::world::{World, furnish};

async fn changed(world: &World, exclude: &[&str], since: &SnapshotId) -> bool {
    let exclude = exclude.iter().map(|glob| (*glob).to_owned()).collect();
    world.driver().changed(world.order(0).home, exclude, since.clone()).await.unwrap()
}

#[tokio::test]
async fn a_home_at_rest_has_not_changed_and_each_change_is_seen() {
    let world = World::new();
    let home = world.home();
    furnish(&home);
    world.driver().create(world.of.clone()).await.unwrap();
    type Change = fn(&std::path::Path);
    let changes: [(&str, Change); 8] = [
        ("contents of the same length", |home| fs::write(home.join("secret"), "700").unwrap()),
        ("a mode", |home| {
            fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
        ("a new file", |home| fs::write(home.join("a/new"), "").unwrap()),
        ("a name", |home| fs::rename(home.join("a/new"), home.join("a/newer")).unwrap()),
        ("one less", |home| fs::remove_file(home.join("a/newer")).unwrap()),
        ("a target", |home| {
            fs::remove_file(home.join("soft")).unwrap();
            std::os::unix::fs::symlink("zzz", home.join("soft")).unwrap();
        }),
        ("a directory", |home| fs::create_dir(home.join("a/d")).unwrap()),
        ("a directory's mode", |home| {
            fs::set_permissions(home.join("a/d"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
    ];
    let mut generation = 1;
    let mut last = world.take(generation).await.unwrap().snapshot.id;
    for (what, change) in changes {
        assert!(!changed(&world, &[], &last).await, "before {what}");
        // At once: within the same tick of the kernel's clock, if it can be.
        change(&home);
        assert!(changed(&world, &[], &last).await, "{what}");
        generation += 1;
        last = world.take(generation).await.unwrap().snapshot.id;
    }
}

#[tokio::test]
async fn what_cannot_be_told_is_a_change() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let first = world.take(1).await.unwrap().snapshot.id;
    let note = world.dir.path().join("seen.json");
    assert_eq!(fs::metadata(&note).unwrap().permissions().mode() & 0o777, 0o600);
    let second = world.take(2).await.unwrap().snapshot.id;
    assert!(changed(&world, &[], &first).await, "another one was taken since");
    assert!(!changed(&world, &[], &second).await);
    assert!(changed(&world, &["x"], &second).await, "something else was left out");
    let whole = fs::read(&note).unwrap();
    for bad in [&whole[..whole.len() / 2], b"", b"{}", b"null"] {
        fs::write(&note, bad).unwrap();
        assert!(changed(&world, &[], &second).await);
    }
    fs::remove_file(&note).unwrap();
    assert!(changed(&world, &[], &second).await, "there is no note");
    std::os::unix::fs::symlink("/etc/passwd", &note).unwrap();
    assert!(changed(&world, &[], &second).await);
    fs::remove_file(&note).unwrap();
    fs::write(&note, whole).unwrap();
    assert!(!changed(&world, &[], &second).await);
    fs::remove_dir_all(world.home()).unwrap();
    assert!(changed(&world, &[], &second).await, "there is no home");
}

#[tokio::test]
async fn what_is_left_out_changes_nothing() {
    let world = World::new();
    fs::create_dir(world.home().join("tmp")).unwrap();
    fs::write(world.home().join("kept"), "x").unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    let taken = world.take_as(1, |order| order.exclude = vec!["tmp".to_owned()]).await.unwrap();
    fs::write(world.home().join("tmp/new"), "x").unwrap();
    assert!(!changed(&world, &["tmp"], &taken.snapshot.id).await);
}
