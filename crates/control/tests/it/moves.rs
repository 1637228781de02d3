//! Boxes that move in and out: whole, or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use smartbox_control::{ControlError, Imported, NewImport, Source};
use smartbox_core::home::HomeOf;
use smartbox_core::home::place::Places;
use smartbox_core::home::port::FileError;
use smartbox_core::id::SmartboxId;
use smartbox_core::message::Delivery;
use smartbox_core::moves::port::Bucket;
use smartbox_core::moves::{Found, Origin};
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::{BoxFuture, BoxStream};
use smartbox_runtime::sim::Call;
use smartbox_store::memory::{Fault, Moment};

use crate::fixtures::{self, File, MEMORY, body, gzip, tar};
use crate::world::{World, actor};

fn new(name: Option<&str>, source: Source) -> NewImport {
    NewImport {
        name: name.map(str::to_owned),
        kind: None,
        tier: None,
        engine: None,
        desired: Desired::Off,
        within: String::new(),
        source,
    }
}

async fn import(world: &World, new: NewImport) -> Result<Imported, ControlError> {
    let account = world.control.ensure_account("me").await.unwrap();
    world.control.import(&actor(), &account.id, new).await
}

async fn import_tar(world: &World, bytes: Vec<u8>) -> Result<Imported, ControlError> {
    import(world, new(Some("moved"), Source::Archive(body(&bytes)))).await
}

fn text(world: &World, id: &SmartboxId, path: &str) -> Option<String> {
    world.sim.file(id, path).map(|bytes| String::from_utf8(bytes).unwrap())
}

/// There is no box but these, and nothing of any other.
async fn only(world: &World, names: &[&str]) {
    let account = world.control.ensure_account("me").await.unwrap();
    let there = async || {
        let rows = world.control.list(&account.id).await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    let gone = tokio::time::timeout(std::time::Duration::from_secs(600), async {
        while there().await != names {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    if gone.await.is_err() {
        panic!("there are {:?}", there().await);
    }
}

/// A home as a snapshot's stream tells it.
async fn snapshot(
    world: &World,
    id: &SmartboxId,
) -> BoxStream<'static, Result<Bytes, SnapshotError>> {
    let of = HomeOf { smartbox: id.clone(), slot: 0, disk_bytes: 0 };
    let place = world.sim.place(of).await.unwrap().unwrap();
    std::os::unix::fs::symlink("/opt/engine//bin/./node", place.home.join("link")).unwrap();
    std::os::unix::fs::symlink("x/".repeat(90), place.home.join("long")).unwrap();
    std::fs::create_dir(place.home.join("empty")).unwrap();
    let mut builder = tar::Builder::new(Vec::new());
    builder.follow_symlinks(false);
    builder.append_dir_all("", &place.home).unwrap();
    let bytes = builder.into_inner().unwrap();
    let pieces: Vec<_> =
        bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces).boxed()
}

async fn exported(world: &World, id: &SmartboxId) -> Vec<u8> {
    let home = snapshot(world, id).await;
    let pieces = world.control.export(&actor(), id, home).await.unwrap();
    pieces.try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

async fn lived() -> (World, SmartboxId) {
    let world = World::new().await;
    let id = world.running("pa", Desired::Auto).await;
    let message = world.say(&id, "hello").await;
    world.answer(&message).await;
    world.write(&id, "notes/deep/a.md", "a note").await;
    world.write(&id, &format!("{}/name", "long-directory-name/".repeat(9)), "far").await;
    (world, id)
}

#[tokio::test(start_paused = true)]
async fn a_box_that_moves_out_moves_in_again_as_it_was() {
    let (world, id) = lived().await;
    let archive = exported(&world, &id).await;
    let came = import_tar(&world, archive).await.unwrap();
    assert_eq!(
        (came.origin, came.row.state, came.row.name.as_str()),
        (Origin::Export, State::Stopped, "moved")
    );
    assert_eq!(text(&world, &came.row.id, "notes/deep/a.md").as_deref(), Some("a note"));
    let far = format!("{}/name", "long-directory-name/".repeat(9));
    assert_eq!(text(&world, &came.row.id, far.as_str()), text(&world, &id, far.as_str()));
    assert!(came.left_out.is_empty() && came.warnings.is_empty(), "{came:?}");
    let (old, new) = (
        world.control.messages(&id, None, 10).await.unwrap(),
        world.control.messages(&came.row.id, None, 10).await.unwrap(),
    );
    let told = |messages: &[smartbox_core::message::Message]| -> Vec<_> {
        messages
            .iter()
            .map(|one| (one.text.clone(), one.reply.clone(), one.created, one.state))
            .collect()
    };
    assert_eq!((told(&old), came.messages), (told(&new), 1));
    // It is a box like any other.
    world.control.start(&actor(), &came.row.id, Desired::Auto).await.unwrap();
    let message = world.say(&came.row.id, "still there?").await;
    assert_eq!(world.answer(&message).await.state, Delivery::Answered);
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_is_not_whole_or_not_what_it_says_leaves_nothing() {
    let (world, id) = lived().await;
    let archive = exported(&world, &id).await;
    let plain = zstd::decode_all(archive.as_slice()).unwrap();
    for cut in [0, 3, 100, archive.len() / 2, archive.len() - 1] {
        let cut = import_tar(&world, archive[..cut].to_vec()).await;
        assert!(
            matches!(cut, Err(ControlError::CutOff { .. } | ControlError::Refused { .. })),
            "{cut:?}"
        );
    }
    // Between two entries an uncompressed archive looks whole: only the manifest is missing.
    let end = plain.windows(21).position(|bytes| bytes == b"smartbox-export.json\0").unwrap();
    let cut = import_tar(&world, plain[..end].to_vec()).await;
    assert!(matches!(cut, Err(ControlError::CutOff { .. })), "{cut:?}");
    // Another byte in any part.
    for (old, new) in [("a note", "a nota"), ("hello", "hallo"), ("\"custom\"", "\"kustom\"")] {
        let at = plain.windows(old.len()).position(|bytes| bytes == old.as_bytes()).unwrap();
        let mut bad = plain.clone();
        bad[at..at + new.len()].copy_from_slice(new.as_bytes());
        let bad = import_tar(&world, bad).await;
        assert!(
            matches!(&bad, Err(ControlError::Refused { why, .. }) if why.contains("damaged")),
            "{old}: {bad:?}"
        );
    }
    // One of a time to come.
    let at = plain.windows(11).position(|bytes| bytes == b"\"format\": 1").unwrap();
    let mut newer = plain.clone();
    newer[at + 10] = b'9';
    let newer = import_tar(&world, newer).await;
    assert!(
        matches!(&newer, Err(ControlError::Refused { why, .. }) if why.contains("format 9")),
        "{newer:?}"
    );
    only(&world, &["pa"]).await;
    assert!(import_tar(&world, plain).await.is_ok(), "uncompressed it is an archive, too");
}

#[tokio::test(start_paused = true)]
async fn an_export_whose_home_breaks_off_is_no_archive() {
    let (world, id) = lived().await;
    let gone = || SnapshotError::Away("a bucket that is gone".into());
    let home = stream::iter([Ok(Bytes::from(vec![0; 100])), Err(gone())]).boxed();
    let pieces = world.control.export(&actor(), &id, home).await.unwrap();
    assert!(pieces.try_collect::<Vec<Bytes>>().await.is_err());
    let nobody = smartbox_core::id::SmartboxId::generate(&crate::world::Counting::default());
    let missing = world.control.export(&actor(), &nobody, stream::empty().boxed()).await;
    assert!(matches!(missing.err(), Some(ControlError::Missing { .. })));
}

/// Keys and bytes.
struct Objects(BTreeMap<String, Vec<u8>>);

impl Bucket for Objects {
    fn list(
        &self,
        prefix: String,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Found>, SnapshotError>> {
        let prefix = if prefix.is_empty() { prefix } else { format!("{prefix}/") };
        let all = self.0.iter().filter_map(|(path, bytes)| {
            Some(Found::new(path.strip_prefix(&prefix)?, bytes.len() as u64))
        });
        let found = all.take(limit).collect();
        Box::pin(async { Ok(found) })
    }
    fn get(
        &self,
        path: String,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<Bytes, SnapshotError>>, SnapshotError>>
    {
        let bytes = self.0.get(&path).cloned();
        Box::pin(async move {
            let bytes = bytes.ok_or(SnapshotError::Missing { what: "object" })?;
            Ok(stream::iter([Ok(Bytes::from(bytes))]).boxed())
        })
    }
}

fn bucket(files: &[File], prefix: &str) -> Source {
    let objects = files.iter().map(|(path, bytes)| (format!("users/u1/{path}"), bytes.clone()));
    let others = [("users/u2/backup.tar.gz".to_owned(), vec![1; 300])];
    let all = objects.chain(others).collect();
    Source::Bucket { bucket: Arc::new(Objects(all)), prefix: prefix.to_owned() }
}

fn layouts() -> Vec<(Vec<File>, Origin)> {
    vec![
        (fixtures::home(".openclaw", "openclaw.json", "clawd"), Origin::Home),
        (fixtures::home(".clawdbot", "clawdbot.json", "clawd"), Origin::Home),
        (fixtures::state(), Origin::State),
        (fixtures::backup(), Origin::Backup),
        (fixtures::root(), Origin::BucketRoot),
        (fixtures::bucket_tar(), Origin::BucketTar),
        (fixtures::bucket_state("openclaw"), Origin::BucketState),
        (fixtures::bucket_state("clawdbot"), Origin::BucketState),
        (fixtures::bucket_parts(), Origin::BucketParts),
    ]
}

/// Each of them, as a directory, as an archive and in a bucket.
#[tokio::test(start_paused = true)]
async fn an_assistant_of_every_layout_comes_with_its_memory() {
    for (files, origin) in layouts() {
        let dir = tempfile::tempdir().unwrap();
        fixtures::lay(&files, dir.path());
        let packed = dir.path().join("packed.tar");
        std::fs::write(&packed, tar(&files)).unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        fixtures::lay(&files, &inner);
        let sources = [
            Source::Path(inner),
            Source::Path(packed),
            Source::Archive(body(&gzip(&tar(&files)))),
            Source::Archive(body(&zstd::encode_all(tar(&files).as_slice(), 1).unwrap())),
            bucket(&files, "users/u1"),
        ];
        for source in sources {
            let world = World::new().await;
            let came = import(&world, new(Some("old"), source)).await;
            let came = came.unwrap_or_else(|e| panic!("{origin:?}: {e:?}"));
            assert_eq!(came.origin, origin);
            let id = &came.row.id;
            assert_eq!(
                text(&world, id, "workspace/MEMORY.md").as_deref(),
                Some(MEMORY),
                "{origin:?}"
            );
            let config: serde_json::Value =
                serde_json::from_str(&text(&world, id, "config").unwrap()).unwrap();
            assert_eq!(
                config["agents"]["defaults"]["workspace"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches("~/.openclaw/")
                    .trim_start_matches("/home/box/"),
                "workspace",
                "{origin:?}"
            );
            assert!(config.get("bad").is_none(), "what the engine refuses is left out");
            assert!(text(&world, id, "config.before-import").unwrap().contains("bad"));
            assert!(
                came.credentials.contains(&"channels.telegram.botToken".to_owned()),
                "{came:?}"
            );
            let told = came.warnings.join("\n");
            assert!(told.contains("`bad`") && told.contains("telegram"), "{told}");
            // It thinks with a model of its own, whose key it had: neither means anything here.
            assert!(told.contains("(it had `openai/old`)"), "{told}");
            assert!(config.pointer("/models/providers/openai").is_none(), "{config}");
            assert!(config.pointer("/agents/defaults/model").is_none(), "{config}");
            assert!(!came.credentials.iter().any(|at| at.starts_with("gateway.")), "{came:?}");
            assert!(came.credentials.contains(&"models.providers.openai.apiKey".to_owned()));
            assert!(!format!("{came:?}").contains("123:abc"), "a credential is told by name alone");
            for remade in ["cache/remade", "gateway.lock", ".restore-time"] {
                assert_eq!(text(&world, id, remade), None, "{origin:?} {remade}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_clear_is_refused_and_says_why() {
    let world = World::new().await;
    let both = [fixtures::bucket_parts(), fixtures::root()].into_iter().zip(["a", "b"]);
    let two: Vec<File> = both
        .flat_map(|(files, user)| {
            files.into_iter().map(move |(path, bytes)| (format!("users/{user}/{path}"), bytes))
        })
        .collect();
    let several = import_tar(&world, tar(&two)).await;
    assert!(
        matches!(&several, Err(ControlError::Refused { why, .. }) if why.contains("users/a, users/b")),
        "{several:?}"
    );
    let chosen =
        NewImport { within: "users/b".into(), ..new(Some("b"), Source::Archive(body(&tar(&two)))) };
    assert_eq!(import(&world, chosen).await.unwrap().origin, Origin::BucketRoot);
    for bad in [tar(&[]), tar(&[("photo.jpg".into(), vec![1])]), b"noise".repeat(300), vec![]] {
        let bad = import_tar(&world, bad).await;
        assert!(
            matches!(bad, Err(ControlError::Refused { .. } | ControlError::CutOff { .. })),
            "{bad:?}"
        );
    }
    let nowhere = import(&world, new(Some("x"), Source::Path("/nowhere/at/all".into()))).await;
    assert!(matches!(nowhere, Err(ControlError::Refused { .. })), "{nowhere:?}");
    let unnamed = import(&world, new(None, Source::Archive(body(&tar(&fixtures::state()))))).await;
    assert!(
        matches!(&unnamed, Err(ControlError::Refused { hint, .. }) if hint.contains("--name")),
        "{unnamed:?}"
    );
    let taken =
        import(&world, new(Some("b"), Source::Archive(body(&tar(&fixtures::state()))))).await;
    assert!(matches!(taken, Err(ControlError::Exists { .. })), "{taken:?}");
    only(&world, &["b"]).await;
}

fn odd(kind: tar::EntryType, name: &str, target: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o4755);
    header.set_entry_type(kind);
    // The library's own setters are careful; an attacker is not.
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
    header.set_cksum();
    builder.append(&header, std::io::empty()).unwrap();
    let bytes = builder.into_inner().unwrap();
    // Without its end mark, so that more may follow.
    bytes[..bytes.len() - 1024].to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_hostile_archive_reaches_nothing_outside_of_its_home() {
    use tar::EntryType as E;
    let outside = tempfile::tempdir().unwrap();
    let there = outside.path().to_str().unwrap();
    for (kind, name, target) in [
        (E::Regular, "../escape", ""),
        (E::Regular, "/tmp/smartbox-escape", ""),
        (E::Regular, ".openclaw/../../escape", ""),
        (E::Link, ".openclaw/hard", "/etc/passwd"),
        (E::Link, ".openclaw/hard", "../../../../etc/passwd"),
        (E::Link, ".openclaw/hard", "not/there"),
    ] {
        let world = World::new().await;
        let bytes = [odd(kind, name, target), tar(&fixtures::root())].concat();
        let refused = import_tar(&world, bytes).await;
        assert!(matches!(refused, Err(ControlError::Refused { .. })), "{name}: {refused:?}");
        only(&world, &[]).await;
    }
    // A link comes first, and then something by way of it.
    let world = World::new().await;
    let through = [
        odd(E::Symlink, "root/.openclaw/out", there),
        tar(&[("root/.openclaw/out/file".into(), b"x".to_vec())])[..1024].to_vec(),
        tar(&fixtures::root()),
    ];
    let _ = import_tar(&world, through.concat()).await;
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    // Devices, pipes and links that lead out are left out, and told.
    let world = World::new().await;
    let odd_ones = [
        odd(E::Char, "root/.openclaw/null", ""),
        odd(E::Fifo, "root/.openclaw/pipe", ""),
        odd(E::Symlink, "root/.openclaw/passwd", "/etc/passwd"),
        odd(E::Symlink, "root/.openclaw/up", "../../../x"),
        tar(&fixtures::root()),
    ];
    let came = import_tar(&world, odd_ones.concat()).await.unwrap();
    for name in ["null", "pipe", "passwd", "up"] {
        let path = format!("root/.openclaw/{name}");
        assert!(came.left_out.iter().any(|one| one.path == path), "{path}: {:?}", came.left_out);
    }
}

/// Commits and steps of the driver fail one after the other: afterwards there is a whole box or none.
#[tokio::test(start_paused = true)]
async fn whatever_fails_leaves_a_whole_box_or_none() {
    let (other, id) = lived().await;
    let archive = exported(&other, &id).await;
    let mut came_through = 0;
    for nth in 1..=6 {
        for moment in [Moment::Before, Moment::After] {
            let world = World::new().await;
            let account = world.control.ensure_account("me").await.unwrap().id;
            world.memory.fail_commit(nth, moment, Fault::Broken);
            let source = Source::Archive(body(&archive));
            let done = world.control.import(&actor(), &account, new(Some("moved"), source)).await;
            world.memory.heal();
            came_through += usize::from(done.is_ok());
            let whole = done.is_ok() || {
                // Its commit was kept, and nobody was told so.
                let account = world.control.ensure_account("me").await.unwrap();
                let rows = world.control.list(&account.id).await.unwrap();
                rows.iter().any(|row| !row.removing)
            };
            only(&world, if whole { &["moved"] } else { &[] }).await;
            if whole {
                let row = world
                    .control
                    .find(&world.control.ensure_account("me").await.unwrap().id, "moved")
                    .await
                    .unwrap();
                assert_eq!(text(&world, &row.id, "notes/deep/a.md").as_deref(), Some("a note"));
            }
        }
    }
    assert!(
        (1..12).contains(&came_through),
        "{came_through}: the faults struck nowhere, or everywhere"
    );
    for nth in 0..2 {
        let world = World::new().await;
        // `stage` and then `adopt`: the first one goes through as often as it is asked to.
        if nth == 0 {
            world.sim.faults().fail(Call::Places, 1);
            let failed = import_tar(&world, archive.clone()).await;
            assert!(
                matches!(failed, Err(ControlError::File(FileError::Broken { .. }))),
                "{failed:?}"
            );
            only(&world, &[]).await;
        }
        assert!(import_tar(&world, archive.clone()).await.is_ok());
    }
}

/// The platform is killed while the bytes still come, and when only the last commit is missing.
#[tokio::test(start_paused = true)]
async fn a_platform_that_is_killed_half_way_leaves_nothing() {
    let (other, id) = lived().await;
    let archive = exported(&other, &id).await;
    let mut world = World::new().await;
    let some = Bytes::copy_from_slice(&archive[..archive.len() / 2]);
    let endless = stream::iter([Ok(some)]).chain(stream::pending()).boxed();
    let account = world.control.ensure_account("me").await.unwrap();
    let control = world.control.clone();
    let going = tokio::spawn(async move {
        control.import(&actor(), &account.id, new(Some("half"), Source::Archive(endless))).await
    });
    while world.sim.faults().calls(Call::Places) == 0 {
        tokio::task::yield_now().await;
    }
    world.kill_and_open().await;
    assert!(matches!(going.await.unwrap(), Err(ControlError::Draining)));
    only(&world, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn two_imports_at_once_are_two_boxes_and_of_one_name_one() {
    let world = World::new().await;
    let files = tar(&fixtures::root());
    let (a, b) = tokio::join!(
        import(&world, new(Some("same"), Source::Archive(body(&files)))),
        import(&world, new(Some("same"), Source::Archive(body(&files)))),
    );
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
    only(&world, &["same"]).await;
}

/// An archive that the real engine made, if it is at hand (`scripts/engine.sh`).
#[tokio::test(start_paused = true)]
async fn a_backup_of_the_real_engine_comes_with_its_memory() {
    let Some(engine) = std::env::var_os("SMARTBOX_TEST_ENGINE").map(std::path::PathBuf::from)
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join(".openclaw");
    let workspace = dir.path().join("work");
    std::fs::create_dir_all(&workspace).unwrap();
    std::fs::create_dir_all(state.join("credentials")).unwrap();
    let config = serde_json::json!({
        "gateway": { "mode": "local" },
        "agents": { "defaults": { "workspace": workspace } },
    });
    std::fs::write(state.join("openclaw.json"), config.to_string()).unwrap();
    std::fs::write(workspace.join("MEMORY.md"), MEMORY).unwrap();
    let out = dir.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let made = std::process::Command::new(engine.join("bin/node"))
        .arg(engine.join("node_modules/openclaw/openclaw.mjs"))
        .args(["backup", "create", "--json", "--output"])
        .arg(&out)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", dir.path())
        .env("OPENCLAW_STATE_DIR", &state)
        .env("OPENCLAW_OFFLINE", "1")
        .env("OPENCLAW_NO_RESPAWN", "1")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let archive = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let world = World::new().await;
    let came = import(&world, new(Some("backed-up"), Source::Path(archive))).await.unwrap();
    assert_eq!(came.origin, Origin::Backup);
    assert_eq!(text(&world, &came.row.id, "workspace/MEMORY.md").as_deref(), Some(MEMORY));
    let config: serde_json::Value =
        serde_json::from_str(&text(&world, &came.row.id, "config").unwrap()).unwrap();
    assert_eq!(config["agents"]["defaults"]["workspace"], "/home/box/workspace");
}
