//! A place with one native driver in it, and what tests do with boxes.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use smartbox_core::id::{Entropy, SmartboxId};
use smartbox_core::sandbox::port::{Runtime, Target};
use smartbox_core::sandbox::{Limits, SandboxSpec, Shift};
use smartbox_link::Link;
use smartbox_link::frame::Frame;
use smartbox_link::wire::{EngineOrder, ExecOrder, Exit};
use smartbox_runtime::{Native, NativeConfig, Profile};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// The program that is helper and test engine in one.
pub const NEST: &str = env!("CARGO_BIN_EXE_smartbox-nest");

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Random enough to be unique on this machine.
pub struct Dice;
impl Entropy for Dice {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out).unwrap();
    }
}

pub fn new_id() -> SmartboxId {
    SmartboxId::generate(&Dice)
}

/// A data directory with a driver; its boxes end with it, whatever happens to the test.
pub struct Bench {
    pub native: Native,
    pub config: NativeConfig,
    pub engine_dir: PathBuf,
    _lease: File,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub async fn new(profile: Profile) -> Self {
        let dir = tempfile::Builder::new().prefix("sb-").tempdir().unwrap();
        let engine_dir = dir.path().join("engine");
        std::fs::create_dir(&engine_dir).unwrap();
        std::fs::copy(NEST, engine_dir.join("probe")).unwrap();
        let lease_path = dir.path().join("lease");
        let lease = File::create(&lease_path).unwrap();
        lease.lock().unwrap();
        let data_dir = dir.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let config = NativeConfig {
            helper: vec![NEST.into(), "__nest".into()],
            profile,
            lease: Some(lease_path),
            ..NativeConfig::new(data_dir, smartbox_core::id::random_text(&Dice, 8))
        };
        let native = Native::open(config.clone()).await.unwrap();
        Self { native, config, engine_dir, _lease: lease, _dir: dir }
    }

    pub fn spec(&self, id: &SmartboxId, fence: u64) -> SandboxSpec {
        SandboxSpec {
            id: id.clone(),
            fence,
            slot: u32::try_from(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap(),
            limits: Limits {
                cpu_millis: 0,
                memory_bytes: 256 << 20,
                pids: 64,
                disk_bytes: 64 << 20,
            },
            engine_dir: self.engine_dir.clone(),
            listeners: vec![7001, 7002],
        }
    }

    pub async fn up(&self) -> SmartboxId {
        let id = new_id();
        self.native.start(self.spec(&id, 1)).await.unwrap();
        id
    }

    pub async fn down(&self, id: &SmartboxId) {
        self.native.shift(id.clone(), Shift::Remove).await.unwrap();
    }

    pub async fn run(&self, id: &SmartboxId, argv: &[&str]) -> (Exit, String) {
        run(&link(&self.native, id, 1).await, argv).await
    }

    /// What a command prints; it must succeed.
    pub async fn says(&self, id: &SmartboxId, argv: &[&str]) -> String {
        let (exit, text) = self.run(id, argv).await;
        assert_eq!(exit.code, Some(0), "{argv:?}: {text}");
        text
    }
}

pub async fn link(runtime: &dyn Runtime, id: &SmartboxId, fence: u64) -> Link {
    let conn = runtime.dial(id.clone(), Target::Link).await.unwrap();
    Link::open(conn.compat(), fence).await.unwrap()
}

pub fn order(argv: &[&str]) -> ExecOrder {
    ExecOrder {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::new(),
        cwd: None,
        timeout_ms: Some(60_000),
        tty: None,
    }
}

pub fn engine(argv: &[&str]) -> EngineOrder {
    EngineOrder {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
        cwd: "/home/box".into(),
        final_codes: vec![78],
    }
}

pub async fn run(link: &Link, argv: &[&str]) -> (Exit, String) {
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
