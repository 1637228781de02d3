//! A place with one native driver in it, and what tests do with boxes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use smartbox_core::id::{Entropy, SmartboxId};
use smartbox_core::sandbox::port::{Runtime, Target};
use smartbox_core::sandbox::{DNS_PORT, Limits, SandboxSpec, Shift};
use smartbox_link::Link;
use smartbox_link::frame::Frame;
use smartbox_link::wire::{EngineOrder, ExecOrder, Exit};
use smartbox_runtime::{Native, NativeConfig, Profile};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// The program that is helper and test engine in one.
pub(crate) const NEST: &str = env!("CARGO_BIN_EXE_smartbox-nest");

/// Random enough to be unique on this machine.
pub(crate) struct Dice;
impl Entropy for Dice {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).unwrap();
    }
}

pub(crate) fn new_id() -> SmartboxId {
    SmartboxId::generate(&Dice)
}

/// A data directory with a driver; its boxes end with it, whatever happens to the test.
pub(crate) struct Bench {
    pub(crate) native: Native,
    pub(crate) config: NativeConfig,
    pub(crate) engine_dir: PathBuf,
    lease: Option<File>,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) async fn new(profile: Profile) -> Self {
        Self::with(profile, |_| {}).await
    }

    /// With another configuration.
    pub(crate) async fn with(profile: Profile, change: impl FnOnce(&mut NativeConfig)) -> Self {
        let dir = tempfile::Builder::new().prefix("sb-").tempdir().unwrap();
        let engine_dir = dir.path().join("engine");
        std::fs::create_dir(&engine_dir).unwrap();
        std::fs::copy(NEST, engine_dir.join("probe")).unwrap();
        let lease_path = dir.path().join("lease");
        let lease = File::create(&lease_path).unwrap();
        lease.lock().unwrap();
        let data_dir = dir.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let installation = smartbox_core::id::random_text(&Dice, 8);
        let mut config = NativeConfig {
            // By way of a platform that lets nobody read its files. The last word only tells the
            // helpers of one test from those of others.
            helper: [
                "/bin/sh",
                "-c",
                "umask 077; exec \"$0\" \"$@\"",
                NEST,
                "__nest",
                installation.as_str(),
            ]
            .map(Into::into)
            .to_vec(),
            profile,
            lease: Some(lease_path),
            ..NativeConfig::new(data_dir, installation)
        };
        change(&mut config);
        let native = Native::open(config.clone()).await.unwrap();
        Self { native, config, engine_dir, lease: Some(lease), _dir: dir }
    }

    pub(crate) fn spec(&self, id: &SmartboxId, fence: u64) -> SandboxSpec {
        spec(id, fence, self.engine_dir.clone())
    }

    pub(crate) async fn up(&self) -> SmartboxId {
        let id = new_id();
        self.native.start(self.spec(&id, 1)).await.unwrap();
        id
    }

    /// Lets go of the lock that keeps the boxes alive.
    pub(crate) fn end_lease(&mut self) {
        self.lease = None;
    }

    /// Removes every box and asserts that nothing of this driver remains on the machine.
    pub(crate) async fn clean(self) {
        for seen in self.native.list().await.unwrap() {
            self.down(&seen.id).await;
        }
        assert_eq!(self.native.list().await.unwrap(), []);
        let mark = format!("smartbox-{}", self.config.installation);
        let data = self.config.data_dir.to_str().unwrap().to_owned();
        let left = || -> Vec<String> {
            let hierarchies = std::fs::read_dir("/sys/fs/cgroup").unwrap().flatten();
            let cgroups = hierarchies.map(|h| h.path().join(&mark)).filter(|path| path.exists());
            let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
            let mounts = mounts.lines().filter(|line| line.contains(&data)).map(str::to_owned);
            let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
                let cgroup = std::fs::read_to_string(entry.path().join("cgroup")).ok()?;
                let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
                let head: Vec<&str> = status.lines().take(7).collect();
                cgroup.contains(&mark).then(|| head.join(" "))
            });
            let cgroups = cgroups.map(|path| path.display().to_string());
            cgroups.chain(mounts.collect::<Vec<_>>()).chain(processes).collect()
        };
        let deadline = tokio::time::Instant::now() + crate::conformance::DEADLINE;
        while !left().is_empty() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(left(), Vec::<String>::new());
    }

    pub(crate) async fn down(&self, id: &SmartboxId) {
        self.native.shift(id.clone(), Shift::Remove).await.unwrap();
    }

    pub(crate) async fn run(&self, id: &SmartboxId, argv: &[&str]) -> (Exit, String) {
        run(&link(&self.native, id, 1).await, argv).await
    }

    /// What a command prints; it must succeed.
    pub(crate) async fn says(&self, id: &SmartboxId, argv: &[&str]) -> String {
        let (exit, text) = self.run(id, argv).await;
        assert_eq!(exit.code, Some(0), "{argv:?}: {text}");
        text
    }
}

/// A specification with small limits, in a slot that follows from the id.
pub(crate) fn spec(id: &SmartboxId, fence: u64, engine_dir: PathBuf) -> SandboxSpec {
    SandboxSpec {
        id: id.clone(),
        fence,
        slot: id.as_str().bytes().fold(0, |sum, byte| (sum * 31 + u32::from(byte)) % 60_000),
        limits: Limits { cpu_millis: 0, memory_bytes: 256 << 20, pids: 64, disk_bytes: 64 << 20 },
        engine_dir,
        listeners: vec![7001, 7002, DNS_PORT],
    }
}

pub(crate) async fn link(runtime: &dyn Runtime, id: &SmartboxId, fence: u64) -> Link {
    let conn = runtime.dial(id.clone(), Target::Link).await.unwrap();
    Link::open(conn.compat(), fence).await.unwrap()
}

pub(crate) fn order(argv: &[&str]) -> ExecOrder {
    ExecOrder {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::new(),
        cwd: None,
        timeout_ms: Some(300_000),
        tty: None,
    }
}

pub(crate) fn engine(argv: &[&str]) -> EngineOrder {
    EngineOrder {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: "/home/box".into(),
        final_codes: vec![78],
    }
}

pub(crate) async fn run(link: &Link, argv: &[&str]) -> (Exit, String) {
    let mut exec = link.exec(order(argv)).await.unwrap();
    let mut text = String::new();
    loop {
        match exec.next().await.unwrap() {
            Some(Frame::Stdout(bytes) | Frame::Stderr(bytes)) => {
                text.push_str(&String::from_utf8_lossy(&bytes));
            }
            Some(Frame::Exit(exit)) => return (exit, text),
            Some(Frame::Failed(why)) => return (Exit { code: Some(127), ..Exit::default() }, why),
            other => panic!("{other:?} after {text:?}"),
        }
    }
}
