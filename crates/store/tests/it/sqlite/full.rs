//! A full disk: an error of its own, nothing half done, and work goes on when there is room.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use smartbox_core::message::Message;
use smartbox_core::store::StoreError;
use smartbox_store::sqlite::Settings;
use smartbox_store::{Keys, OpenError, Sqlite};

use crate::support::{Home, Os, clock, message, smartbox, with_box};
use crate::{read, write};

const DIR: &str = "STORE_TEST_MOUNT";
const CHILD: &str = "sqlite::full::child_on_a_small_disk";

async fn add(store: &Sqlite, row: &Message) -> Result<(), StoreError> {
    let row = row.clone();
    write!(store, |tx| tx.messages().add(row).await)
}

async fn kept(store: &Sqlite, like: &Message) -> usize {
    let id = like.smartbox.clone();
    read!(store, |tx| tx.messages().recent(id, u32::MAX).await).unwrap().len()
}

#[tokio::test]
async fn a_limit_on_pages_is_a_full_disk_until_there_is_room() {
    let home = Home::new();
    let settings = Settings { max_pages: Some(120), ..Settings::default() };
    let store = home.try_open(settings).await.unwrap();
    let (owner, pa) = with_box(&store, "pa").await;
    let extra = smartbox(&owner.id, "extra", 1);
    let added = extra.clone();
    write!(&store, |tx| tx.boxes().add(added).await).unwrap();
    let text = "x".repeat(20_000);
    let mut done: usize = 0;
    let error = loop {
        let to = if done.is_multiple_of(2) { &pa.id } else { &extra.id };
        match add(&store, &message(to, &text)).await {
            Ok(()) => done += 1,
            Err(e) => break e,
        }
        assert!(done < 120, "the limit holds nothing back");
    };
    assert!(matches!(error, StoreError::Full), "{error}");
    // A work that looks away from the failed statement keeps nothing either.
    let (large, small) = (message(&pa.id, &"y".repeat(900_000)), message(&pa.id, "small"));
    let error = write!(&store, |tx| {
        let _ = tx.messages().add(large).await;
        let _ = tx.messages().add(small).await;
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error}");
    let of_pa = message(&pa.id, "after");
    assert_eq!(kept(&store, &of_pa).await, done.div_ceil(2));
    write!(&store, |tx| tx.boxes().remove(extra.id).await).unwrap();
    add(&store, &message(&pa.id, &text)).await.unwrap();
    assert_eq!(kept(&store, &of_pa).await, done.div_ceil(2) + 1);
}

/// The real thing: a file system of two megabytes, in a mount namespace that ends with the child.
#[test]
fn a_full_file_system_is_an_error_until_there_is_room() {
    let home = Home::new();
    let run = |program: &[&str]| {
        Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount"])
            .args(program)
            .env(DIR, home.db.parent().unwrap())
            .output()
            .unwrap()
    };
    let probe = run(&["mount", "-t", "tmpfs", "none", home.db.parent().unwrap().to_str().unwrap()]);
    if !probe.status.success() {
        // Past the capture of a passing test's output: nobody is to think that this was tried.
        let _ = std::writeln!(
            std::io::stderr(),
            "IGNORED: no mount namespace can be made here, so a full file system was not tried \
             (the limit on pages was): {}",
            String::from_utf8_lossy(&probe.stderr)
        );
        return;
    }
    let exe = std::env::current_exe().unwrap();
    let child = run(&[exe.to_str().unwrap(), "--exact", CHILD, "--ignored", "--nocapture"]);
    let (out, err) =
        (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

#[tokio::test]
#[ignore = "runs as the child of the test above"]
async fn child_on_a_small_disk() {
    let dir = PathBuf::from(std::env::var_os(DIR).expect("the directory to mount over"));
    let size = Some(c"size=2m");
    rustix::mount::mount("none", &dir, "tmpfs", rustix::mount::MountFlags::empty(), size).unwrap();
    let (key, db) = (dir.join("master.key"), dir.join("smartbox.db"));
    let keys = Keys::load_or_create(&key, &db, &Os).unwrap();
    let store = Sqlite::open(&db, keys.clone(), clock(), Arc::new(Os)).await.unwrap();
    let (_, pa) = with_box(&store, "pa").await;
    let ballast = dir.join("ballast");
    for round in 0..5 {
        let before = kept(&store, &message(&pa.id, "")).await;
        fill(&ballast);
        let mut done = 0;
        let error = loop {
            match add(&store, &message(&pa.id, &"x".repeat(9_000))).await {
                Ok(()) => done += 1,
                Err(e) => break e,
            }
            assert!(done < 500, "the disk never fills");
        };
        assert!(matches!(error, StoreError::Full), "round {round}: {error:?}");
        // Reading goes on, and what failed left nothing.
        assert_eq!(kept(&store, &message(&pa.id, "")).await, before + done);
        std::fs::remove_file(&ballast).unwrap();
        add(&store, &message(&pa.id, "room again")).await.unwrap();
        assert_eq!(kept(&store, &message(&pa.id, "")).await, before + done + 1);
    }
    let before = kept(&store, &message(&pa.id, "")).await;
    // As after a kill: the journal is there, and no byte more than that.
    fill(&ballast);
    let error = Sqlite::open(&db, keys.clone(), clock(), Arc::new(Os)).await.unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
    std::fs::remove_file(&ballast).unwrap();
    store.close().await;
    let store = Sqlite::open(&db, keys, clock(), Arc::new(Os)).await.unwrap();
    assert_eq!(kept(&store, &message(&pa.id, "")).await, before);
}

fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    for size in [65_536, 4_096] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
