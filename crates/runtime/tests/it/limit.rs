//! Hogs: each hits its own limit, and another box does not notice.

use smartbox_core::sandbox::port::Runtime;
use smartbox_core::sandbox::{EngineProcess, Phase};
use smartbox_runtime::Profile;

use crate::bench::{Bench, engine, link};
use crate::conformance::until;

#[tokio::test]
async fn a_fork_bomb_stays_within_its_box() {
    let bench = Bench::new(Profile::Auto).await;
    let (id, other) = (bench.up().await, bench.up().await);
    let bomb = engine(&["/bin/sh", "-c", "bomb() { bomb & bomb; }; bomb; wait"]);
    link(&bench.native, &id, 1).await.engine_start(&bomb).await.unwrap();
    for _ in 0..10 {
        let (exit, _) = bench.run(&other, &["/bin/true"]).await;
        assert_eq!(exit.code, Some(0));
    }
    assert_eq!(bench.native.observe(id.clone()).await.unwrap().phase, Phase::Up);
    bench.down(&id).await;
    bench.clean().await;
}

#[tokio::test]
async fn a_memory_hog_is_killed_alone_and_told_so() {
    let bench = Bench::new(Profile::Auto).await;
    if !bench.native.capabilities().features["limit-memory"].on {
        // An ordinary user without a delegated cgroup: reported, not hidden.
        return bench.clean().await;
    }
    let (id, other) = (bench.up().await, bench.up().await);
    let quiet = link(&bench.native, &other, 1).await;
    quiet.engine_start(&engine(&["/bin/sleep", "1000"])).await.unwrap();
    let mut hog = engine(&["/opt/engine/probe", "hold", "4096"]);
    hog.final_codes = (0..=255).collect();
    link(&bench.native, &id, 1).await.engine_start(&hog).await.unwrap();
    let last = until(|| async {
        match bench.native.observe(id.clone()).await.unwrap().engine {
            EngineProcess::Ended { last } | EngineProcess::Backoff { last, .. } => Some(last),
            _ => None,
        }
    })
    .await;
    assert!(last.oom && last.signal == Some(9), "{last:?}");
    let seen = bench.native.observe(other.clone()).await.unwrap();
    assert_eq!(seen.engine, EngineProcess::Running { starts: 1, last: None });
    bench.clean().await;
}

#[tokio::test]
async fn a_disk_filler_hits_its_own_limit_only() {
    let bench = Bench::new(Profile::Auto).await;
    let (id, other) = (bench.up().await, bench.up().await);
    // One file alone.
    let (exit, text) =
        bench.run(&id, &["/bin/sh", "-c", "exec head -c 100m /dev/zero > /home/box/one"]).await;
    assert_ne!(exit.code, Some(0), "{text}");
    let length = std::fs::metadata(bench.native.home(&id).join("one")).unwrap().len();
    assert!(length <= 64 << 20, "{length}");
    bench.says(&id, &["/bin/rm", "/home/box/one"]).await;
    // Many files.
    let (exit, text) =
        bench.run(&id, &["/opt/engine/probe", "fill", "/home/box/many", "4000"]).await;
    assert_ne!(exit.code, Some(0), "{text}");
    let filled = || std::fs::read_dir(bench.native.home(&id).join("many")).unwrap().count();
    println!("filled {} MiB of 64", filled());
    assert!(filled() < 2000, "{}", filled());
    // Writing is refused to whoever comes next, deleting is not, and then writing works again.
    until(|| async {
        let (exit, _) =
            bench.run(&id, &["/opt/engine/probe", "fill", "/home/box/more", "50"]).await;
        (exit.code != Some(0)).then_some(())
    })
    .await;
    bench.says(&id, &["/bin/rm", "-r", "/home/box/many", "/home/box/more"]).await;
    until(|| async {
        let (exit, _) = bench.run(&id, &["/opt/engine/probe", "fill", "/home/box/few", "8"]).await;
        (exit.code == Some(0)).then_some(())
    })
    .await;
    bench.says(&other, &["/opt/engine/probe", "fill", "/home/box/own", "8"]).await;
    bench.clean().await;
}
