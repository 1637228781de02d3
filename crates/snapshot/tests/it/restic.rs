//! The restic program, which knows nothing of us, reads what we wrote.

use std::path::Path;
use std::process::{Command, Output};

use smartbox_core::secret::Secret;
use smartbox_core::snapshot::Shelf;
use smartbox_core::snapshot::port::{Shelves, Takes};

use crate::world::{World, furnish, noise, tree};

const PASSWORD: &str = "correct-horse-battery-staple";

fn restic(repository: &Path, arguments: &[&str]) -> Output {
    Command::new("restic")
        .arg("--no-cache")
        .arg("--repo")
        .arg(repository)
        .args(arguments)
        .env("RESTIC_PASSWORD", PASSWORD)
        .output()
        .expect("the restic program; Debian's package has that name")
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

#[tokio::test]
async fn restic_lists_checks_and_restores_what_we_wrote() {
    let world = World::new();
    furnish(&world.home());
    // The format has such a link's bytes, but restic reads them only since 0.16 (we: in `round`).
    std::fs::remove_file(world.home().join("raw target")).unwrap();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    let first = world.take(1).await.unwrap().snapshot;
    let before = tree(&world.home());
    std::fs::write(world.home().join("a/b/large"), noise(2, 2_000_000)).unwrap();
    let second = world.take(2).await.unwrap().snapshot;
    let repository = world.repository();

    // Without a password of its own there is no way in.
    let shut = restic(&repository, &["snapshots", "--no-lock"]);
    assert!(!shut.status.success(), "{}", said(&shut));
    driver.add_password(world.of.clone(), Secret::new(PASSWORD.to_owned())).await.unwrap();

    let listed = restic(&repository, &["snapshots", "--json", "--no-lock"]);
    assert!(listed.status.success(), "{}", said(&listed));
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let ids: Vec<&str> =
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    let mut ours = [first.id.as_str(), second.id.as_str()];
    let mut theirs = ids.clone();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(theirs, ours);
    let text = rows.to_string();
    for told in ["generation=2", "fence=4", world.of.smartbox.as_str(), "\"paths\":[\"/\"]"] {
        assert!(text.contains(told), "{told}: {text}");
    }

    let checked = restic(&repository, &["check", "--read-data"]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).contains("no errors were found"), "{}", said(&checked));
    assert!(!said(&checked).to_lowercase().contains("warning"), "{}", said(&checked));

    for (id, expected) in [(&first.id, before), (&second.id, tree(&world.home()))] {
        let into = world.dir.path().join(id.as_str());
        let target = into.to_str().unwrap();
        let restored =
            restic(&repository, &["restore", id.as_str(), "--target", target, "--verify"]);
        assert!(restored.status.success(), "{}", said(&restored));
        let found = tree(&into);
        let names = |tree: &crate::world::Tree| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected));
        for (name, thing) in &expected {
            assert_eq!(&found[name], thing, "{}", String::from_utf8_lossy(name));
        }
    }

    // And what restic did there, its locks included, is nothing to us.
    assert!(
        matches!(driver.list(world.of.clone()).await.unwrap(), Shelf::Some(all) if all.len() == 2)
    );
    assert_eq!(driver.verify(world.of.clone(), None).await.unwrap().snapshots, 2);
}

#[tokio::test]
async fn what_restic_took_into_it_is_no_snapshot_of_the_box() {
    let world = World::new();
    let driver = world.driver();
    driver.create(world.of.clone()).await.unwrap();
    driver.add_password(world.of.clone(), Secret::new(PASSWORD.to_owned())).await.unwrap();
    std::fs::write(world.home().join("x"), "x").unwrap();
    let home = world.home();
    let taken = restic(&world.repository(), &["backup", home.to_str().unwrap()]);
    assert!(taken.status.success(), "{}", said(&taken));
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::NoneYet);
}
