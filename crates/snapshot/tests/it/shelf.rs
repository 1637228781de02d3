//! What is beside a repository, and what can be seen in it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use smartbox_core::home::{FileKind, FilePath};
use smartbox_core::snapshot::port::{
    Against, Change, Form, Pages, Shelves, SnapshotError, Storage, Takes,
};
use smartbox_core::snapshot::{RepositoryKey, RepositoryOf, SnapshotId};

use crate::world::{World, furnish, noise, tree};

async fn bytes(world: &World, id: &SnapshotId, path: &str, form: Form) -> Vec<u8> {
    let pieces = world.driver().read(world.of.clone(), id.clone(), path.into(), form).await;
    let pieces: Vec<Bytes> = pieces.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn a_directory_of_a_snapshot_is_looked_into() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let look = async |path: FilePath| world.driver().look(world.of.clone(), id.clone(), path).await;
    let root = look("".into()).await.unwrap();
    let mut there: Vec<Vec<u8>> = fs::read_dir(world.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().as_bytes().to_vec())
        .collect();
    there.sort();
    assert_eq!(root.iter().map(|kept| kept.path.0.clone()).collect::<Vec<_>>(), there);
    let of = |name: &[u8]| root.iter().find(|kept| kept.path.0 == name).unwrap().entry.clone();
    assert_eq!((of(b"secret").mode, of(b"secret").size), (0o600, 3));
    assert_eq!((of(b"sticky").kind, of(b"sticky").mode), (FileKind::Directory, 0o1777));
    assert_eq!(of(b"raw target").target.unwrap(), b"b\xff\xfeytes");
    assert_eq!(of(b"not \xff\xfe utf-8").kind, FileKind::File);

    let beneath = look("./a//b/".into()).await.unwrap();
    let names: Vec<&[u8]> = beneath.iter().map(|kept| &kept.path.0[..]).collect();
    assert_eq!(names, [&b"a/b/c"[..], b"a/b/large", b"a/b/same"]);
    let one = look("a/b/large".into()).await.unwrap();
    assert_eq!((one.len(), one[0].entry.size), (1, 3_000_000));
    for nothing in ["nope", "a/../secret", "..", "secret/x", "soft/x"] {
        let missing = look(nothing.into()).await;
        assert!(matches!(missing, Err(SnapshotError::Missing { .. })), "{nothing}: {missing:?}");
    }
}

#[tokio::test]
async fn a_file_is_read_out_of_a_snapshot_as_it_was() {
    let world = World::new();
    furnish(&world.home());
    world.driver().create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let large = fs::read(world.home().join("a/b/large")).unwrap();
    fs::remove_file(world.home().join("a/b/large")).unwrap();
    assert_eq!(bytes(&world, &id, "a/b/large", Form::File).await, large);
    assert!(bytes(&world, &id, "a/none", Form::File).await.is_empty());
    for other in ["a", "soft", "nope", ""] {
        let driver = world.driver();
        let read = driver.read(world.of.clone(), id.clone(), other.into(), Form::File).await;
        let missing = read.err();
        assert!(matches!(missing, Some(SnapshotError::Missing { .. })), "{other}: {missing:?}");
    }
}

#[tokio::test]
async fn an_archive_of_a_snapshot_is_the_home() {
    let world = World::new();
    furnish(&world.home());
    let long = "d".repeat(120);
    fs::create_dir(world.home().join(&long)).unwrap();
    fs::write(world.home().join(&long).join("x".repeat(150)), "deep").unwrap();
    symlink("y".repeat(300), world.home().join("long target")).unwrap();
    world.driver().create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let archive = bytes(&world, &id, "", Form::Tar).await;
    let into = tempfile::tempdir().unwrap();
    let file = world.dir.path().join("archive.tar");
    fs::write(&file, &archive).unwrap();
    // By a program that knows nothing of us.
    let told = std::process::Command::new("tar")
        .arg("-xpf")
        .arg(&file)
        .arg("-C")
        .arg(into.path())
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(tree(into.path()), tree(&world.home()));

    let part = bytes(&world, &id, "a/b", Form::Tar).await;
    let mut part = tar::Archive::new(&part[..]);
    let names: Vec<Vec<u8>> =
        part.entries().unwrap().map(|entry| entry.unwrap().path_bytes().into_owned()).collect();
    assert_eq!(names, [&b"c/"[..], b"c/empty/", b"large", b"same"]);
    let one = bytes(&world, &id, "secret", Form::Tar).await;
    let mut one = tar::Archive::new(&one[..]);
    let entry = one.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(entry.path_bytes().into_owned(), b"secret");
}

#[tokio::test]
async fn who_stops_listening_stops_the_reading() {
    let world = World::new();
    for n in 0..8 {
        fs::write(world.home().join(format!("f{n}")), noise(n, 4_000_000)).unwrap();
    }
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let mut pieces = driver.read(world.of.clone(), id, "".into(), Form::Tar).await.unwrap();
    pieces.next().await.unwrap().unwrap();
    drop(pieces);
    // What a dead writer left goes at once if nobody reads; else it is marked, and stays for a day.
    let removed = async {
        let mut left = 0;
        loop {
            left += 1;
            let name = format!("{left:064x}");
            fs::create_dir_all(world.repository().join("data/00")).unwrap();
            fs::write(world.repository().join("data/00").join(name), "left").unwrap();
            let pruned = driver.prune(world.of.clone(), Vec::new(), None).await.unwrap();
            if pruned.bytes > 0 {
                return pruned;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), removed).await.unwrap();
}

#[tokio::test]
async fn two_snapshots_differ_by_what_was_changed_between_them() {
    let world = World::new();
    furnish(&world.home());
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let first = world.take(1).await.unwrap().snapshot.id;
    let home = world.home();
    fs::write(home.join("a.txt"), "between a and b").unwrap();
    fs::write(home.join("a/b/same"), "other").unwrap();
    fs::remove_file(home.join("secret")).unwrap();
    fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::remove_file(home.join("soft")).unwrap();
    symlink("two", home.join("soft")).unwrap();
    fs::create_dir_all(home.join("new/deep")).unwrap();
    fs::write(home.join("new/deep/file"), "x").unwrap();
    fs::remove_file(home.join("sparse")).unwrap();
    fs::create_dir(home.join("sparse")).unwrap();
    fs::File::options()
        .write(true)
        .open(home.join("one"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    let expected = [
        ("a.txt", Change::Changed),
        ("a/b/same", Change::Changed),
        ("new", Change::Added),
        ("new/deep", Change::Added),
        ("new/deep/file", Change::Added),
        ("run", Change::Mode),
        ("secret", Change::Removed),
        ("soft", Change::Changed),
        ("sparse", Change::Changed),
    ];
    let told = |difference: &smartbox_core::snapshot::port::Difference| {
        let mut told: Vec<(String, Change)> = difference
            .changes
            .iter()
            .map(|(path, change)| (String::from_utf8(path.0.clone()).unwrap(), *change))
            .collect();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        told
    };
    let expected: Vec<(String, Change)> =
        expected.into_iter().map(|(path, change)| (path.to_owned(), change)).collect();
    // The home first: it is what the second snapshot is about to be.
    let against = Against::Home(world.order(2).home, vec!["left-out".to_owned()]);
    fs::write(home.join("left-out"), "x").unwrap();
    let found = driver.diff(world.of.clone(), first.clone(), against, 100).await.unwrap();
    assert_eq!(told(&found), expected);
    assert_eq!(found.total, 9);
    fs::remove_file(home.join("left-out")).unwrap();
    let second = world.take(2).await.unwrap().snapshot.id;
    let against = || Against::Snapshot(second.clone());
    let found = driver.diff(world.of.clone(), first.clone(), against(), 100).await.unwrap();
    assert_eq!(told(&found), expected);
    let few = driver.diff(world.of.clone(), first.clone(), against(), 2).await.unwrap();
    assert_eq!((few.changes.len(), few.total), (2, 9));
    let same = Against::Snapshot(first.clone());
    assert_eq!(driver.diff(world.of.clone(), first, same, 9).await.unwrap().total, 0);
    // Nothing is told apart that is the same: the second is the home.
    let home = Against::Home(world.order(2).home, Vec::new());
    assert_eq!(driver.diff(world.of.clone(), second, home, 9).await.unwrap().total, 0);
}

#[tokio::test]
async fn what_lies_beside_a_repository_is_kept_counted_and_removed() {
    let world = World::new();
    let driver = world.driver();
    let smartbox = world.of.smartbox.clone();
    assert_eq!(driver.boxes().await.unwrap(), []);
    assert_eq!(driver.record(smartbox.clone()).await.unwrap(), None);
    assert_eq!(driver.size(smartbox.clone()).await.unwrap(), 0);
    driver.destroy(smartbox.clone()).await.unwrap();

    driver.create(world.of.clone()).await.unwrap();
    fs::write(world.home().join("x"), noise(1, 100_000)).unwrap();
    world.take(1).await.unwrap();
    driver.claim(world.of.clone(), world.order(1).claim).await.unwrap();
    for text in ["one", "two"] {
        driver.put_record(smartbox.clone(), Bytes::from(text)).await.unwrap();
        assert_eq!(driver.record(smartbox.clone()).await.unwrap().unwrap(), text);
    }
    let on_disk: u64 = tree(&world.storage())
        .keys()
        .map(|name| fs::metadata(world.storage().join(std::ffi::OsStr::from_bytes(name))).unwrap())
        .filter(fs::Metadata::is_file)
        .map(|meta| meta.len())
        .sum();
    assert_eq!(driver.size(smartbox.clone()).await.unwrap(), on_disk);
    assert_eq!(driver.boxes().await.unwrap(), std::slice::from_ref(&smartbox));
    fs::create_dir(world.storage().join("lost+found")).unwrap();
    fs::create_dir(world.storage().join("box_0123456789abcdefghjm")).unwrap();
    assert_eq!(
        driver.boxes().await.unwrap(),
        std::slice::from_ref(&smartbox),
        "an empty directory is no box"
    );

    driver.destroy(smartbox.clone()).await.unwrap();
    assert_eq!(driver.boxes().await.unwrap(), []);
    assert!(!world.storage().join(smartbox.as_str()).exists());
    let missing = driver.list(world.of.clone()).await;
    assert!(matches!(missing, Err(SnapshotError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn the_storage_is_tried_and_nothing_stays() {
    let world = World::new();
    let driver = world.driver();
    driver.probe().await.unwrap();
    // One that a dead prober left is no failure.
    fs::write(world.storage().join("probe"), "old").unwrap();
    driver.probe().await.unwrap();
    assert!(tree(&world.storage()).is_empty());
    let told = driver.whereabouts();
    assert!(told.contains(world.storage().to_str().unwrap()), "{told}");
}

#[tokio::test]
async fn what_was_moved_in_the_storage_is_not_given_for_something_else() {
    let world = World::new();
    fs::write(world.home().join("mine"), noise(1, 400_000)).unwrap();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let data = |world: &World| -> Vec<std::path::PathBuf> {
        let root = world.repository().join("data");
        let packs = tree(&root).into_keys().filter(|name| name.len() > 60);
        packs.map(|name| root.join(std::ffi::OsStr::from_bytes(&name))).collect()
    };
    let first = world.take(1).await.unwrap().snapshot.id;
    let before = data(&world);
    fs::write(world.home().join("mine"), noise(2, 400_000)).unwrap();
    world.take(2).await.unwrap();
    // Two packs of one piece each and of the same length: what the one has is of this repository, under
    // its key, and passes the cipher.
    let length = |path: &std::path::PathBuf| fs::metadata(path).unwrap().len();
    let old = before.iter().find(|path| length(path) > 400_000).unwrap();
    let new = data(&world)
        .into_iter()
        .find(|path| path != old && length(path) == length(old))
        .expect("a pack of the same length");
    fs::copy(new, old).unwrap();
    let into = tempfile::tempdir().unwrap();
    let restored =
        driver.restore(world.of.clone(), first.clone(), into.path().to_owned(), None).await;
    assert!(matches!(restored, Err(SnapshotError::Corrupt { .. })), "{restored:?}");
    let pieces = driver.read(world.of.clone(), first, "mine".into(), Form::File).await.unwrap();
    let read: Result<Vec<Bytes>, SnapshotError> = pieces.try_collect().await;
    assert!(matches!(read, Err(SnapshotError::Corrupt { .. })), "{read:?}");
}

#[tokio::test]
async fn another_key_opens_nothing_that_can_be_looked_at() {
    let world = World::new();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let id = world.take(1).await.unwrap().snapshot.id;
    let other = RepositoryOf { key: RepositoryKey::new([9; 64]), ..world.of.clone() };
    let look = driver.look(other.clone(), id.clone(), "".into()).await;
    assert!(matches!(look, Err(SnapshotError::Corrupt { .. })), "{look:?}");
    let read = driver.read(other, id, "".into(), Form::Tar).await.err();
    assert!(matches!(read, Some(SnapshotError::Corrupt { .. })), "{read:?}");
}
