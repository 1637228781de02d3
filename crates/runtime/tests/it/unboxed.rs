//! Boxes without a sandbox, as root and as an ordinary user: the same link, the same life, the same end.

use std::fs::File;
use std::net::TcpListener;
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{EngineProcess, Phase, SandboxSpec, Shift};
use smartbox_runtime::{Native, Profile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::bench::{Bench, engine, link, new_id};
use crate::conformance::until;
use crate::lifecycle::init_of;
use crate::reduced::as_an_ordinary_user;

/// A port of the machine that nobody has now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Processes of the box that are alive, zombies not counted: by the id that they carry or their cgroup.
fn alive(id: &SmartboxId) -> Vec<u32> {
    let mine = |pid: &u32| {
        let read = |name| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let has = |text: Vec<u8>| String::from_utf8_lossy(&text).contains(id.as_str());
        let stat = String::from_utf8_lossy(&read("stat")).into_owned();
        (has(read("environ")) || has(read("cgroup"))) && !stat.contains(") Z ")
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(mine).collect()
}

fn spec(bench: &Bench, id: &SmartboxId, fence: u64, listener: u16) -> SandboxSpec {
    SandboxSpec { listeners: vec![listener], ..bench.spec(id, fence) }
}

/// Starts an engine that echoes, and waits for its echo.
async fn echo(native: &Native, id: &SmartboxId, fence: u64, port: u16) {
    let order = engine(&["/opt/engine/probe", "echo", &port.to_string()]);
    link(native, id, fence).await.engine_start(&order).await.unwrap();
    answers(native, id, port).await;
}

async fn answers(native: &Native, id: &SmartboxId, port: u16) {
    let conn = until(|| async { native.dial(id.clone(), Target::Port(port)).await.ok() }).await;
    let mut conn = conn.compat();
    conn.write_all(b"alive").await.unwrap();
    conn.read_exact(&mut [0; 5]).await.unwrap();
}

pub(crate) async fn suite() {
    let bench = Bench::new(Profile::InsecureNone).await;
    let capabilities = bench.native.capabilities();
    assert_eq!(capabilities.profile, "none");
    for lost in ["namespaces", "seccomp", "files", "network", "ports", "limit-disk"] {
        assert!(!capabilities.features[lost].on, "{lost} is claimed");
    }
    let (id, listener, port) = (new_id(), free_port(), free_port());
    bench.native.start(spec(&bench, &id, 1, listener)).await.unwrap();
    echo(&bench.native, &id, 1, port).await;

    // What every box calls by these names is found, wherever it is.
    let home = std::fs::canonicalize(bench.native.home(&id)).unwrap();
    assert_eq!(
        bench.says(&id, &["/bin/sh", "-c", "cd /home/box && pwd -P"]).await.trim(),
        home.to_str().unwrap()
    );
    assert_eq!(bench.says(&id, &["/bin/ls", "/opt/engine"]).await, "probe\n");

    bench.native.shift(id.clone(), Shift::Freeze { page_out: true }).await.unwrap();
    assert_eq!(bench.native.observe(id.clone()).await.unwrap().phase, Phase::Frozen);
    bench.native.shift(id.clone(), Shift::Thaw).await.unwrap();
    answers(&bench.native, &id, port).await;

    // A second one would have the same ports.
    let refused = bench.native.start(spec(&bench, &new_id(), 1, listener)).await.unwrap_err();
    let RuntimeError::Unsupported { why } = refused else { panic!("{refused:?}") };
    assert!(why.contains(&format!("port {listener}")) && why.contains("one can be up"), "{why}");

    // Another control plane takes it over as it is.
    let later = Native::open(bench.config.clone()).await.unwrap();
    let seen = later.observe(id.clone()).await.unwrap();
    assert_eq!((seen.phase, seen.fence), (Phase::Up, 1));
    assert_eq!(seen.engine, EngineProcess::Running { starts: 1, last: None });
    later.start(spec(&bench, &id, 1, listener)).await.unwrap();
    answers(&later, &id, port).await;

    // Init dies, and no process namespace takes along what it started: what looks after boxes does, but not
    // while a control plane is at work on this one, who may be making it anew.
    let orphans = alive(&id);
    assert!(!orphans.is_empty());
    let dir = bench.config.data_dir.join("boxes").join(id.as_str());
    let at_work = File::options().write(true).open(dir.join("lock")).unwrap();
    at_work.lock().unwrap();
    rustix::process::kill_process(init_of(&bench, &id), rustix::process::Signal::KILL).unwrap();
    // Of three looks that are seen by what they cut, two planes can have begun but two before the end.
    for _ in 0..3 {
        let noise = dir.join("log/init.log");
        std::fs::write(&noise, vec![b'x'; (1 << 20) + 1]).unwrap();
        until(|| async { (std::fs::metadata(&noise).ok()?.len() == 0).then_some(()) }).await;
    }
    assert!(!alive(&id).is_empty(), "one's box was ended by the other");
    drop(at_work);
    until(|| async {
        let seen = later.observe(id.clone()).await.unwrap();
        (seen.phase == Phase::Absent).then_some(())
    })
    .await;
    assert_eq!(alive(&id), Vec::<u32>::new(), "of {orphans:?}");
    later.start(spec(&bench, &id, 2, listener)).await.unwrap();
    echo(&later, &id, 2, port).await;

    // An end while it is frozen is one, too.
    later.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
    later.shift(id.clone(), Shift::Remove).await.unwrap();
    assert_eq!(alive(&id), Vec::<u32>::new());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
    TcpListener::bind(("127.0.0.1", listener)).unwrap();
    bench.clean().await;
}

#[tokio::test]
async fn a_box_without_a_sandbox_lives_and_ends_whole() {
    tokio::time::timeout(Duration::from_secs(300), suite()).await.unwrap();
}

#[test]
fn an_ordinary_user_may_do_without_a_sandbox_too() {
    as_an_ordinary_user("unboxed");
}
