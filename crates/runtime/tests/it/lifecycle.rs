//! Dying at bad moments: the control plane, the helper, init.

use std::time::Duration;

use smartbox_core::sandbox::port::{Kept, Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{EngineProcess, Phase, Shift};
use smartbox_runtime::{Native, NativeConfig, Profile};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use crate::bench::{Bench, engine, link, new_id, spec};
use crate::conformance::{DEADLINE, dial, until};

/// The process that is a box's init, by its socket.
pub(crate) fn init_of(bench: &Bench, id: &smartbox_core::id::SmartboxId) -> rustix::process::Pid {
    let run = bench.config.data_dir.join("boxes").join(id.as_str()).join("run");
    let stream = std::os::unix::net::UnixStream::connect(run.join("link.sock")).unwrap();
    rustix::net::sockopt::socket_peercred(&stream).unwrap().pid
}

#[tokio::test]
async fn a_new_control_plane_finds_what_an_old_one_left() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let order = engine(&["/opt/engine/probe", "echo", "18789"]);
    link(&bench.native, &id, 1).await.engine_start(&order).await.unwrap();
    let _ = dial(&bench.native, &id).await;
    bench.native.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();

    // It knows nothing but the directory.
    let next = Native::open(bench.config.clone()).await.unwrap();
    let seen = next.list().await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].phase, seen[0].fence), (Phase::Frozen, 1));
    assert_eq!(seen[0].engine, EngineProcess::Running { starts: 1, last: None });
    next.shift(id.clone(), Shift::Thaw).await.unwrap();
    next.start(bench.spec(&id, 1)).await.unwrap();
    let mut conn = dial(&next, &id).await.compat();
    conn.write_all(b"still").await.unwrap();
    let mut heard = [0; 5];
    conn.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still");

    // And takes it over with a higher fence; the old one may not act any more.
    next.start(bench.spec(&id, 2)).await.unwrap();
    for refused in [
        bench.native.dial(id.clone(), Target::Link).await.map(drop),
        bench.native.shift(id.clone(), Shift::Remove).await,
        bench.native.start(bench.spec(&id, 1)).await,
    ] {
        let Err(RuntimeError::Fenced { ours: 1, theirs: 2, .. }) = refused else {
            panic!("{refused:?}")
        };
    }
    next.shift(id, Shift::Remove).await.unwrap();
    bench.clean().await;
}

#[tokio::test]
async fn init_killed_is_a_sandbox_gone() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let order = engine(&["/opt/engine/probe", "echo", "18789"]);
    link(&bench.native, &id, 1).await.engine_start(&order).await.unwrap();
    let mut conn = dial(&bench.native, &id).await.compat();
    rustix::process::kill_process(init_of(&bench, &id), rustix::process::Signal::KILL).unwrap();
    let end = tokio::time::timeout(DEADLINE, conn.read(&mut [0; 8])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "the engine died with it");
    until(|| async {
        let seen = bench.native.observe(id.clone()).await.unwrap();
        (seen.phase == Phase::Absent).then_some(())
    })
    .await;
    bench.native.start(bench.spec(&id, 1)).await.unwrap();
    bench.clean().await;
}

#[tokio::test]
async fn frozen_boxes_are_removed_too() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let order = engine(&["/bin/sleep", "1000"]);
    link(&bench.native, &id, 1).await.engine_start(&order).await.unwrap();
    bench.native.shift(id.clone(), Shift::Freeze { page_out: true }).await.unwrap();
    bench.down(&id).await;
    bench.clean().await;
}

#[tokio::test]
async fn a_helper_that_fails_leaves_nothing_and_says_why() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    let mut spec = bench.spec(&id, 1);
    spec.engine_dir = "/nowhere/at/all".into();
    let error = bench.native.start(spec).await.unwrap_err();
    let RuntimeError::Broken { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("/nowhere/at/all"), "{source}");
    assert_eq!(bench.native.observe(id.clone()).await.unwrap().phase, Phase::Absent);

    // Two listeners on one port: init itself gives up.
    let mut spec = bench.spec(&id, 1);
    spec.listeners = vec![7001, 7001];
    let error = bench.native.start(spec).await.unwrap_err();
    let RuntimeError::Broken { source, .. } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("7001"), "{source}");
    bench.native.start(bench.spec(&id, 1)).await.unwrap();
    bench.clean().await;
}

/// The helper is killed at any moment; the next start puts it right.
#[tokio::test]
async fn a_helper_killed_at_any_moment_is_put_right() {
    let bench = Bench::new(Profile::Auto).await;
    for delay in [0, 1, 2, 4, 6, 8, 12, 16, 24] {
        let id = new_id();
        let native = bench.native.clone();
        let spec = bench.spec(&id, 1);
        let start = tokio::spawn(async move { native.start(spec).await });
        tokio::time::sleep(Duration::from_millis(delay)).await;
        // Every other time its child, which is to become init, goes on alone.
        let count = if delay % 4 == 0 { 1 } else { 2 };
        for pid in helpers(&bench.config.installation).into_iter().take(count) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        // It may have been too late, or have hit another test's helper: both are fine.
        let _ = start.await.unwrap();
        until(|| async { bench.native.start(bench.spec(&id, 1)).await.ok() }).await;
        assert_eq!(bench.run(&id, &["/bin/true"]).await.0.code, Some(0));
        bench.down(&id).await;
    }
    bench.clean().await;
}

/// The helpers of one driver that run now.
fn helpers(installation: &str) -> Vec<rustix::process::Pid> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids: Vec<i32> = all
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            line.ends_with(format!("__nest\0{installation}\0").as_bytes()).then_some(pid)
        })
        .collect();
    pids.sort_unstable();
    pids.into_iter().filter_map(rustix::process::Pid::from_raw).collect()
}

#[tokio::test]
async fn the_engines_words_are_kept() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let order = engine(&["/bin/sh", "-c", "echo first; echo second >&2; sleep 1000"]);
    link(&bench.native, &id, 1).await.engine_start(&order).await.unwrap();
    let page = until(|| async {
        let page = bench.native.kept(id.clone(), Kept::Log { from: 0 }).await.unwrap();
        String::from_utf8_lossy(&page.bytes).contains("second").then_some(page)
    })
    .await;
    let text = String::from_utf8_lossy(&page.bytes).into_owned();
    assert!(text.contains("first\n"), "{text:?}");
    let more = bench.native.kept(id.clone(), Kept::Log { from: page.next }).await.unwrap();
    assert_eq!((more.bytes.as_slice(), more.next), (&b""[..], page.next));
    bench.down(&id).await;
    let tail = bench.native.kept(id.clone(), Kept::LogTail { bytes: 4 }).await.unwrap();
    assert_eq!(tail.bytes.len(), 4);
    bench.clean().await;
}

#[tokio::test]
async fn a_lease_that_ends_takes_its_boxes_along() {
    let mut bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    bench.end_lease();
    until(|| async {
        let seen = bench.native.observe(id.clone()).await.unwrap();
        (seen.phase == Phase::Absent).then_some(())
    })
    .await;
    bench.down(&id).await;
    bench.clean().await;
}

/// Where the inner process of the next test finds its directory.
const PLACE: &str = "SMARTBOX_TEST_PLACE";

/// A real control plane, in a process of its own, killed with a box up and another half-made.
#[tokio::test]
async fn a_control_plane_that_is_killed_leaves_its_boxes_running() {
    let bench = Bench::new(Profile::Auto).await;
    let (id, half) = (new_id(), new_id());
    let place = [
        bench.config.data_dir.to_str().unwrap(),
        &bench.config.installation,
        bench.engine_dir.to_str().unwrap(),
        id.as_str(),
        half.as_str(),
    ];
    let mut control = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lifecycle::inner_control_plane", "--ignored", "--nocapture"])
        .env(PLACE, place.join("\n"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = tokio::io::BufReader::new(control.stdout.take().unwrap()).lines();
    while lines.next_line().await.unwrap().expect("it says that it is ready") != "ready" {}
    control.kill().await.unwrap();
    let seen = bench.native.observe(id.clone()).await.unwrap();
    assert_eq!((seen.phase, seen.fence), (Phase::Up, 7));
    assert_eq!(seen.engine, EngineProcess::Running { starts: 1, last: None });
    let mut conn = dial(&bench.native, &id).await.compat();
    conn.write_all(b"alive").await.unwrap();
    conn.read_exact(&mut [0; 5]).await.unwrap();
    until(|| async { bench.native.start(bench.spec(&half, 7)).await.ok() }).await;
    assert_eq!(bench.native.list().await.unwrap().len(), 2);
    bench.clean().await;
}

#[tokio::test]
#[ignore = "run by `a_control_plane_that_is_killed_leaves_its_boxes_running`, to be killed"]
async fn inner_control_plane() {
    let place = std::env::var(PLACE).unwrap();
    let [data_dir, installation, engine_dir, id, half] =
        place.lines().collect::<Vec<_>>().try_into().unwrap();
    let (id, half) = (id.parse().unwrap(), half.parse().unwrap());
    let data_dir = std::path::PathBuf::from(data_dir);
    let config = NativeConfig {
        helper: vec![crate::bench::NEST.into(), "__nest".into()],
        lease: Some(data_dir.join("../lease")),
        ..NativeConfig::new(data_dir, installation)
    };
    let native = Native::open(config).await.unwrap();
    native.start(spec(&id, 7, engine_dir.into())).await.unwrap();
    let order = engine(&["/opt/engine/probe", "echo", "18789"]);
    link(&native, &id, 7).await.engine_start(&order).await.unwrap();
    let _ = dial(&native, &id).await;
    let _under_way = native.start(spec(&half, 7, engine_dir.into()));
    tokio::time::sleep(Duration::from_millis(5)).await;
    println!("\nready");
    std::future::pending::<()>().await;
}
