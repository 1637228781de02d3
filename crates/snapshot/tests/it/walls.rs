//! What the reader is kept from: it has the box's uid and sees the box's home.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use smartbox_core::snapshot::port::{Moment, SnapshotError, Takes};
use smartbox_snapshot::{READER_ARG, Restic};

use crate::boxes::Running;
use crate::world::{BOX, World, furnish, tree};

const CANARY: &str = "the host's own canary";

/// Whether the bytes are anywhere beneath a directory.
fn holds(root: &Path, bytes: &[u8]) -> bool {
    let has = |name: &Path| {
        fs::read(name).is_ok_and(|all| all.windows(bytes.len()).any(|one| one == bytes))
    };
    fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_dir() { holds(&path, bytes) } else { meta.is_file() && has(&path) }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_change_places_with_files_lead_to_nothing_of_the_host() {
    let world = World::new();
    // A file of the host that everybody may read, and the home of another box.
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), CANARY).unwrap();
    fs::write(outside.join("passwd"), CANARY).unwrap();
    let other = tempfile::tempdir_in(world.dir.path()).unwrap();
    fs::write(other.path().join("canary"), CANARY).unwrap();
    fs::set_permissions(other.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let user = world.owned();
    let targets: Vec<String> = [
        outside.as_path(),
        &outside.join("canary"),
        other.path(),
        Path::new("/etc"),
        Path::new("/etc/passwd"),
        Path::new("/proc/self/root"),
        Path::new("/proc/self/fd/0"),
        Path::new("../outside"),
        Path::new("/"),
    ]
    .iter()
    .map(|path| path.to_str().unwrap().to_owned())
    .collect();
    let mut deed = vec!["swap"];
    deed.extend(targets.iter().map(String::as_str));
    world.driver().create(world.of.clone()).await.unwrap();
    let running = Running::new(&world, &deed);
    let passwd = fs::read("/etc/passwd").unwrap();
    let mut whole = 0;
    for generation in 1..=16 {
        let moment = match generation % 3 {
            0 => Moment::Live,
            1 => Moment::AtRest,
            _ => Moment::Held(running.clone()),
        };
        let held = matches!(moment, Moment::Held(_));
        let taken = world.take_as(generation, |order| {
            order.home.user = user;
            order.moment = moment;
        });
        match taken.await {
            Ok(taken) => {
                let back = world.back(&taken.snapshot.id).await;
                for loot in [CANARY.as_bytes(), &passwd] {
                    assert!(!holds(back.path(), loot), "{generation}");
                }
                whole += 1;
            }
            // Where it is not held, it may never look the same twice.
            Err(SnapshotError::Hole { .. }) if !held => {}
            Err(other) => panic!("{generation}: {other:?}"),
        }
    }
    assert!(whole >= 5, "a box that is held is read whole");
}

#[tokio::test]
async fn what_the_boxs_user_may_not_read_the_reader_does_not() {
    let world = World::new();
    furnish(&world.home());
    let user = world.owned();
    world.driver().create(world.of.clone()).await.unwrap();
    // The directory around the home is the platform's alone, as it is when the platform makes it.
    fs::set_permissions(world.dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let taken = world.take_as(1, |order| order.home.user = user).await.unwrap();
    assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
    let foreign = world.home().join("a/foreign");
    fs::write(&foreign, CANARY).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = world.take_as(2, |order| order.home.user = user).await;
    let Err(SnapshotError::Hole { path, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(path, "a/foreign", "and it says which");
}

#[tokio::test]
async fn a_platform_that_is_not_root_reads_as_itself() {
    let world = World::new();
    furnish(&world.home());
    world.owned();
    let bin = world.dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let program = bin.join("reader");
    fs::copy(env!("CARGO_BIN_EXE_smartbox-reader"), &program).unwrap();
    for path in [&bin, &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let id = BOX.to_string();
    let words = ["--reuid", &id, "--regid", &id, "--clear-groups", "--inh-caps=-all", "--"];
    let mut command = vec!["/usr/bin/setpriv".into()];
    command.extend(words.iter().map(Into::into));
    command.extend([program.into_os_string(), READER_ARG.into()]);
    let driver = Restic::directory(&world.storage()).unwrap().with_reader(command);
    driver.create(world.of.clone()).await.unwrap();
    let mut order = world.order(1);
    // Such a platform makes scratch for itself.
    order.home.user = Some((BOX, BOX));
    let taken = driver.take(world.of.clone(), order).await.unwrap();
    assert_eq!(world.restored(&taken.snapshot.id).await, tree(&world.home()));
}
