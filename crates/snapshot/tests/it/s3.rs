//! A bucket whose server misbehaves, in every way that one can.

use std::collections::HashSet;
use std::fs;

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::Method;
use smartbox_core::snapshot::port::{Form, Pages, Shelves, SnapshotError, Storage as _, Takes};
use smartbox_core::snapshot::{Claim, Generation, Shelf, Snapshot};
use smartbox_snapshot::{Limits, Restic};

use crate::front::{Front, KEY_ID, Mood, SECRET, SHORT};
use crate::world::{NOW, World, furnish, noise, reader, tree};

/// A box with a snapshot in a bucket.
async fn kept(front: &Front) -> (World, Restic, Snapshot) {
    let world = World::new();
    furnish(&world.home());
    let driver = front.driver();
    driver.create(world.of.clone()).await.unwrap();
    let taken = driver.take(world.of.clone(), world.order(1)).await.unwrap().snapshot;
    (world, driver, taken)
}

async fn restored(world: &World, driver: &Restic, taken: &Snapshot) -> Result<(), SnapshotError> {
    let into = tempfile::tempdir().unwrap();
    let path = into.path().to_owned();
    driver.restore(world.of.clone(), taken.id.clone(), path, None).await?;
    assert_eq!(tree(into.path()), tree(&world.home()));
    Ok(())
}

fn says(status: u16, code: &str) -> Mood {
    Mood::Says(status, format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_there_and_back() {
    let front = Front::start().await;
    let (world, driver, taken) = kept(&front).await;
    restored(&world, &driver, &taken).await.unwrap();
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::Some(vec![taken.clone()]));
    assert_eq!(driver.verify(world.of.clone(), None).await.unwrap().snapshots, 1);
    driver.probe().await.unwrap();
    let smartbox = world.of.smartbox.clone();
    driver.put_record(smartbox.clone(), Bytes::from_static(b"sealed")).await.unwrap();
    assert_eq!(driver.record(smartbox.clone()).await.unwrap().unwrap(), "sealed");
    assert_eq!(driver.boxes().await.unwrap(), std::slice::from_ref(&smartbox));
    let stored: usize = front.objects().values().map(Bytes::len).sum();
    assert_eq!(driver.size(smartbox.clone()).await.unwrap(), stored as u64);
    driver.destroy(smartbox).await.unwrap();
    assert!(front.objects().is_empty(), "{:?}", front.objects().keys());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_is_tried_again() {
    let front = Front::start().await;
    // Each request fails twice before it is answered.
    let mut failed: HashSet<(String, u8)> = HashSet::new();
    front.behaves(move |asked| {
        let name =
            |n| (format!("{} {} {:?}", asked.method, asked.key, asked.headers.get("range")), n);
        match (failed.insert(name(0)), failed.len()) {
            (true, _) => says(500, "InternalError"),
            (false, _) if failed.insert(name(1)) => says(503, "SlowDown"),
            _ => Mood::Good,
        }
    });
    let (world, driver, taken) = kept(&front).await;
    restored(&world, &driver, &taken).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_always_fails_is_away_after_so_many_tries() {
    let front = Front::start().await;
    let (world, driver, taken) = kept(&front).await;
    front.behaves(|_| says(500, "InternalError"));
    front.asked();
    let listed = driver.list(world.of.clone()).await;
    assert!(matches!(listed, Err(SnapshotError::Away(_))), "{listed:?}");
    assert_eq!(front.asked().len(), 3, "once, and twice again");
    fs::write(world.home().join("new"), noise(7, 100_000)).unwrap();
    let took = driver.take(world.of.clone(), world.order(2)).await;
    assert!(matches!(took, Err(SnapshotError::Away(_))), "{took:?}");
    let destroyed = driver.destroy(world.of.smartbox.clone()).await;
    assert!(matches!(destroyed, Err(SnapshotError::Away(_))), "{destroyed:?}");
    assert!(matches!(driver.probe().await, Err(SnapshotError::Away(_))));
    front.behaves(|_| Mood::Good);
    fs::remove_file(world.home().join("new")).unwrap();
    restored(&world, &driver, &taken).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_is_away() {
    let front = Front::start().await;
    let (world, _, _) = kept(&front).await;
    front.behaves(|_| Mood::Silent);
    let mut bucket = front.bucket();
    bucket.limits = Limits { timeout: SHORT, retries: 1, ..bucket.limits };
    let hasty = Restic::bucket(&bucket).unwrap().with_reader(reader());
    let listed = hasty.list(world.of.clone()).await;
    assert!(matches!(listed, Err(SnapshotError::Away(_))), "{listed:?}");
    let claim = Claim { generation: Generation(2), fence: 4, at: NOW };
    let claimed = hasty.claim(world.of.clone(), claim).await;
    assert!(matches!(claimed, Err(SnapshotError::Away(_))), "{claimed:?}");
    // One that is not there at all.
    bucket.endpoint = "http://127.0.0.1:1".to_owned();
    let nobody = Restic::bucket(&bucket).unwrap().list(world.of.clone()).await;
    assert!(matches!(nobody, Err(SnapshotError::Away(_))), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_is_not_away_and_says_nothing_of_the_key() {
    let front = Front::start().await;
    let (world, driver, _) = kept(&front).await;
    for (status, code) in [(403, "SignatureDoesNotMatch"), (401, "Unauthorized"), (400, "Invalid")]
    {
        // It sends back what it was sent.
        front.behaves(move |asked| {
            let sent = asked.headers["authorization"].to_str().unwrap().to_owned();
            Mood::Says(
                status,
                format!(
                    "<Error><Code>{code}</Code><Message>{sent} {SECRET}</Message>\
                     <AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId></Error>"
                ),
            )
        });
        front.asked();
        let smartbox = world.of.smartbox.clone();
        let told = [
            driver.list(world.of.clone()).await.map(drop).unwrap_err(),
            driver.take(world.of.clone(), world.order(2)).await.map(drop).unwrap_err(),
            driver.boxes().await.map(drop).unwrap_err(),
            driver.size(smartbox.clone()).await.map(drop).unwrap_err(),
            driver.record(smartbox.clone()).await.map(drop).unwrap_err(),
            driver.put_record(smartbox, Bytes::new()).await.unwrap_err(),
            driver.probe().await.unwrap_err(),
        ];
        for error in told {
            assert!(matches!(error, SnapshotError::Refused(_)), "{status}: {error:?}");
            let text = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
            assert!(!text.contains(KEY_ID) && !text.contains("canary"), "{text}");
        }
        assert!(front.asked().len() < 12, "what is refused is not tried again");
    }
    let shown = format!("{:?} {:?} {}", front.bucket(), driver, driver.whereabouts());
    assert!(!shown.contains(KEY_ID) && !shown.contains("canary"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_only_reads_restores_and_takes_nothing() {
    let front = Front::start().await;
    let (world, driver, taken) = kept(&front).await;
    front.behaves(|asked| match asked.method {
        Method::GET | Method::HEAD => Mood::Good,
        _ => says(403, "AccessDenied"),
    });
    restored(&world, &driver, &taken).await.unwrap();
    driver.verify(world.of.clone(), None).await.unwrap();
    fs::write(world.home().join("new"), "x").unwrap();
    let took = driver.take(world.of.clone(), world.order(2)).await;
    assert!(matches!(took, Err(SnapshotError::Refused(_))), "{took:?}");
    let pruned = driver.prune(world.of.clone(), vec![taken.id.clone()], None).await;
    assert!(matches!(pruned, Err(SnapshotError::Refused(_))), "{pruned:?}");
    assert!(matches!(driver.probe().await, Err(SnapshotError::Refused(_))));
    assert_eq!(driver.list(world.of.clone()).await.unwrap(), Shelf::Some(vec![taken]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_claimed_once_and_a_server_that_overwrites_is_found_out() {
    let front = Front::start().await;
    let world = World::new();
    let driver = front.driver();
    let claim = |fence| Claim { generation: Generation(1), fence, at: NOW };
    driver.claim(world.of.clone(), claim(1)).await.unwrap();
    let second = driver.claim(world.of.clone(), claim(2)).await;
    assert!(matches!(second, Err(SnapshotError::Exists { .. })), "{second:?}");
    assert_eq!(driver.claims(world.of.clone(), None).await.unwrap(), [claim(1)]);
    // It says 412 to whatever.
    front.behaves(|asked| match asked.method {
        Method::PUT => says(412, "PreconditionFailed"),
        _ => Mood::Good,
    });
    let third = driver.claim(world.of.clone(), Claim { generation: Generation(3), ..claim(1) });
    assert!(matches!(third.await, Err(SnapshotError::Exists { .. })));
    // One that does not know conditions would let two platforms have one number.
    front.behaves(|asked| match asked.headers.contains_key("if-none-match") {
        true => Mood::Says(200, String::new()),
        false => Mood::Good,
    });
    assert!(driver.probe().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_bucket_a_server_has_no_empty_repository() {
    let front = Front::start().await;
    let (world, driver, _) = kept(&front).await;
    front.behaves(|_| says(404, "NoSuchBucket"));
    let listed = driver.list(world.of.clone()).await;
    assert!(matches!(listed, Err(SnapshotError::Missing { .. })), "{listed:?}");
    for told in [
        driver.create(world.of.clone()).await.unwrap_err(),
        driver.boxes().await.map(drop).unwrap_err(),
        driver.record(world.of.smartbox.clone()).await.map(drop).unwrap_err(),
        driver.probe().await.unwrap_err(),
    ] {
        assert!(matches!(told, SnapshotError::Missing { what: "bucket" }), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_breaks_off_is_never_taken_for_the_whole() {
    let front = Front::start().await;
    let (world, driver, taken) = kept(&front).await;
    front.behaves(|asked| match asked.method {
        Method::GET if !asked.list => Mood::Torn,
        _ => Mood::Good,
    });
    let list = driver.list(world.of.clone()).await;
    assert!(matches!(list, Err(SnapshotError::Away(_))), "{list:?}");
    assert!(restored(&world, &driver, &taken).await.is_err());
    // Once is nothing: the rest is asked for again.
    let mut torn = HashSet::new();
    front.behaves(move |asked| {
        let name = format!("{} {:?}", asked.key, asked.headers.get("range"));
        let first = asked.method == Method::GET && !asked.list && torn.insert(name);
        if first && !asked.headers.contains_key("range") { Mood::Torn } else { Mood::Good }
    });
    restored(&world, &driver, &taken).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_bytes_are_damage_and_are_never_restored() {
    let front = Front::start().await;
    let (world, driver, taken) = kept(&front).await;
    for kind in ["/data/", "/index/", "/snapshots/"] {
        front.behaves(move |asked| {
            let hit = asked.method == Method::GET && !asked.list && asked.key.contains(kind);
            if hit { Mood::Wrong } else { Mood::Good }
        });
        let into = tempfile::tempdir().unwrap();
        let path = into.path().to_owned();
        let back = driver.restore(world.of.clone(), taken.id.clone(), path, None).await;
        assert!(back.is_err(), "{kind}");
        let verified = driver.verify(world.of.clone(), None).await;
        assert!(matches!(verified, Err(SnapshotError::Corrupt { .. })), "{kind}: {verified:?}");
        let read = async {
            let read =
                driver.read(world.of.clone(), taken.id.clone(), "a/b/large".into(), Form::File);
            read.await?.try_collect::<Vec<Bytes>>().await
        };
        let read = read.await;
        assert!(matches!(read, Err(SnapshotError::Corrupt { .. })), "{kind}: {:?}", read.err());
    }
    // It was the way and not the storage: nothing is moved away for it.
    front.behaves(|_| Mood::Good);
    let next = driver.take(world.of.clone(), world.order(2)).await.unwrap().snapshot;
    restored(&world, &driver, &next).await.unwrap();
    restored(&world, &driver, &taken).await.unwrap();
    assert!(front.objects().keys().all(|key| !key.contains("/damage")), "{:?}", front.objects());
}

#[tokio::test(start_paused = true)]
async fn no_more_is_sent_than_may_be() {
    let front = Front::start().await;
    let mut bucket = front.bucket();
    bucket.limits.bandwidth = Some(1000);
    // Time stands still but where somebody waits for it; a deadline of a request would come at once.
    bucket.limits.timeout = std::time::Duration::from_secs(1_000_000);
    let driver = Restic::bucket(&bucket).unwrap().with_reader(reader());
    let smartbox = World::new().of.smartbox;
    let begun = tokio::time::Instant::now();
    for _ in 0..4 {
        driver.put_record(smartbox.clone(), Bytes::from(vec![0; 30_000])).await.unwrap();
    }
    // Thirty seconds each; the last one's are the next one's to wait for.
    let took = begun.elapsed().as_secs();
    assert!((90..120).contains(&took), "{took}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_leads_elsewhere_leads_nowhere() {
    let (front, elsewhere) = (Front::start().await, Front::start().await);
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/latest/meta-data/", elsewhere.bucket().endpoint);
        front.behaves(move |_| Mood::Leads(status, to.clone()));
        let driver = front.driver();
        assert!(driver.probe().await.is_err(), "{status}");
        assert!(driver.boxes().await.is_err(), "{status}");
    }
    assert!(!front.asked().is_empty() && elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
}
