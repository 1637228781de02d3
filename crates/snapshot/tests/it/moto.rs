//! A real S3 server, as a process of its own that can be killed. It keeps everything in memory; a record
//! of what it was asked brings it back.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use smartbox_core::secret::Secret;
use smartbox_core::snapshot::port::{Shelves, SnapshotError, Storage as _, Takes};
use smartbox_core::snapshot::{Claim, Generation, Shelf};
use smartbox_snapshot::{Bucket, Limits, Restic};
use tempfile::TempDir;

use crate::world::{NOW, World, furnish, noise, reader, tree};

const LONG: Duration = Duration::from_secs(120);
const BUCKET: &str = "snapshots";

struct Moto {
    dir: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Moto {
    /// With an empty bucket.
    async fn start() -> Self {
        // Free a moment ago; whoever takes it meanwhile makes the server end, which is told.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut moto = Self { dir: tempfile::tempdir().unwrap(), port, process: None };
        moto.run().await;
        let made = reqwest::Client::new().put(moto.url(BUCKET)).send().await.unwrap();
        assert!(made.status().is_success(), "{made:?}");
        moto
    }

    async fn run(&mut self) {
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let process = Command::new(program())
            .args(["-H", "127.0.0.1", "-p", &self.port.to_string()])
            .env("MOTO_ENABLE_RECORDING", "true")
            .env("MOTO_RECORDER_FILEPATH", self.recording())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let answers = async {
            while reqwest::get(self.url("moto-api/data.json")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let log = || fs::read_to_string(self.dir.path().join("log")).unwrap();
        tokio::time::timeout(LONG, answers).await.unwrap_or_else(|_| panic!("{}", log()));
    }

    /// As `kill -9` does it.
    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Starts it again, with all that it had answered, and perhaps what it was asked last.
    async fn again(&mut self) {
        let text = fs::read(self.recording()).unwrap();
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        fs::write(self.recording(), &text[..whole]).unwrap();
        self.run().await;
        let replay = reqwest::Client::new()
            .post(self.url("moto-api/recorder/replay-recording"))
            .timeout(LONG)
            .send();
        assert!(replay.await.unwrap().status().is_success());
    }

    fn recording(&self) -> PathBuf {
        self.dir.path().join("recording")
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    fn bucket(&self) -> Bucket {
        Bucket {
            endpoint: format!("http://127.0.0.1:{}", self.port),
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            key_id: Secret::new("testing".to_owned()),
            secret: Secret::new("testing-secret".to_owned()),
            path_style: true,
            prefix: "team/smartbox".to_owned(),
            // One at a time: its record is of whole requests only then.
            limits: Limits { retries: 2, concurrency: 1, ..Limits::default() },
        }
    }

    fn driver(&self) -> Restic {
        Restic::bucket(&self.bucket()).unwrap().with_reader(reader())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// Installed once, from PyPI.
fn program() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/moto.sh");
    let told = Command::new(script).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    PathBuf::from(String::from_utf8(told.stdout).unwrap().trim())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_keeps_claims_once_and_is_read_by_restic() {
    let moto = Moto::start().await;
    let world = World::new();
    furnish(&world.home());
    // Restic before 0.16 does not read it.
    fs::remove_file(world.home().join("raw target")).unwrap();
    let driver = moto.driver();
    driver.probe().await.unwrap();
    driver.create(world.of.clone()).await.unwrap();
    let again = driver.create(world.of.clone()).await;
    assert!(matches!(again, Err(SnapshotError::Exists { .. })), "{again:?}");

    let claim = |fence| Claim { generation: Generation(1), fence, at: NOW };
    let (other, of) = (moto.driver(), world.of.clone());
    let two = tokio::join!(driver.claim(of.clone(), claim(1)), other.claim(of.clone(), claim(2)));
    let won = [two.0.is_ok(), two.1.is_ok()];
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{two:?}");
    let claims = driver.claims(of.clone(), None).await.unwrap();
    assert_eq!(claims, [claim(if won[0] { 1 } else { 2 })]);

    let taken = driver.take(of.clone(), world.order(1)).await.unwrap().snapshot;
    assert_eq!(driver.list(of.clone()).await.unwrap(), Shelf::Some(vec![taken.clone()]));
    driver.verify(of.clone(), None).await.unwrap();
    assert_eq!(driver.boxes().await.unwrap(), std::slice::from_ref(&of.smartbox));

    let password = "correct-horse-battery-staple";
    driver.add_password(of.clone(), Secret::new(password.to_owned())).await.unwrap();
    let place = format!("{BUCKET}/team/smartbox/{}/repository", of.smartbox.as_str());
    let restic = |arguments: &[&str]| {
        let told = Command::new("restic")
            .args(["--no-cache", "--repo", &format!("s3:{}", moto.url(&place))])
            .args(arguments)
            .env("RESTIC_PASSWORD", password)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing-secret")
            .output()
            .expect("the restic program; Debian's package has that name");
        let said = [&told.stdout[..], &told.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(told.status.success(), "{said}");
        said
    };
    assert!(restic(&["snapshots", "--json", "--no-lock"]).contains(taken.id.as_str()));
    assert!(restic(&["check", "--read-data"]).contains("no errors were found"));
    let into = world.dir.path().join("restored");
    restic(&["restore", taken.id.as_str(), "--target", into.to_str().unwrap()]);
    assert_eq!(tree(&into), tree(&world.home()));

    let pruned = driver.prune(of.clone(), vec![taken.id], Some(Generation(2))).await.unwrap();
    assert_eq!(pruned.snapshots, 1);
    assert!(pruned.bytes > 3_000_000, "{pruned:?}");
    driver.destroy(of.smartbox.clone()).await.unwrap();
    assert_eq!(driver.boxes().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_half_way_loses_nothing_that_was_acknowledged() {
    let mut moto = Moto::start().await;
    let world = World::new();
    let of = world.of.clone();
    fs::write(world.home().join("first"), noise(1, 1_000_000)).unwrap();
    let driver = moto.driver();
    driver.create(of.clone()).await.unwrap();
    let claim = |number| Claim { generation: Generation(number), fence: 4, at: NOW };
    driver.claim(of.clone(), claim(1)).await.unwrap();
    let first = driver.take(of.clone(), world.order(1)).await.unwrap().snapshot;
    let before = tree(&world.home());

    for n in 0..10 {
        fs::write(world.home().join(format!("f{n}")), noise(10 + n, 6_000_000)).unwrap();
    }
    driver.claim(of.clone(), claim(2)).await.unwrap();
    let length = |moto: &Moto| fs::metadata(moto.recording()).unwrap().len();
    let begun = length(&moto);
    let taking = {
        let (driver, of, order) = (moto.driver(), of.clone(), world.order(2));
        tokio::spawn(async move { driver.take(of, order).await })
    };
    // A fifth of it has arrived.
    let half = async {
        while length(&moto) < begun + 16_000_000 {
            assert!(!taking.is_finished(), "it was taken before it could be cut off");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, half).await.unwrap();
    moto.kill();
    let cut = tokio::time::timeout(LONG, taking).await.unwrap().unwrap();
    assert!(matches!(cut, Err(SnapshotError::Away(_))), "{cut:?}");
    let nobody = driver.list(of.clone()).await;
    assert!(matches!(nobody, Err(SnapshotError::Away(_))), "{nobody:?}");

    moto.again().await;
    let driver = moto.driver();
    assert_eq!(driver.list(of.clone()).await.unwrap(), Shelf::Some(vec![first.clone()]));
    let restored = async |id| {
        let into = tempfile::tempdir().unwrap();
        driver.restore(of.clone(), id, into.path().to_owned(), None).await.unwrap();
        tree(into.path())
    };
    assert_eq!(restored(first.id).await, before);
    driver.claim(of.clone(), claim(3)).await.unwrap();
    let taken = driver.take(of.clone(), world.order(3)).await.unwrap();
    // What had arrived is not sent again.
    assert!(taken.added < 56_000_000, "{}", taken.added);
    assert_eq!(restored(taken.snapshot.id).await, tree(&world.home()));
    driver.verify(of.clone(), None).await.unwrap();
}
