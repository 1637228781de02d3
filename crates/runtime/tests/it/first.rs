//! The first box.

use smartbox_core::sandbox::Phase;
use smartbox_core::sandbox::port::Runtime;
use smartbox_runtime::Profile;

use crate::bench::{Bench, engine, link};

#[tokio::test]
async fn a_box_starts_runs_a_shell_and_is_removed() {
    let bench = Bench::new(Profile::Auto).await;
    println!("{:#?}", bench.native.capabilities());
    let id = bench.up().await;
    for command in [
        "id; ls -la / /dev /proc | head -120",
        "cat /proc/self/status /proc/mounts",
        "ls -la /proc/1/fd; cat /proc/self/cgroup; ps ax; ip addr; hostname",
    ] {
        let (exit, text) = bench.run(&id, &["/bin/sh", "-c", command]).await;
        println!("{exit:?}\n{text}");
    }
    let link = link(&bench.native, &id, 1).await;
    link.engine_start(&engine(&["/opt/engine/probe", "echo", "18789"])).await.unwrap();
    println!("{:?}", link.status().await);
    println!("{:?}", bench.native.observe(id.clone()).await);
    bench.down(&id).await;
    assert_eq!(bench.native.observe(id).await.unwrap().phase, Phase::Absent);
}
