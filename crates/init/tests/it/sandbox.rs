//! Init as PID 1 with nothing: no capability, a read-only system, a filter. Needs `bwrap`.

use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;

use rustix::process::{Pid, Signal, kill_process};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use smartbox_link::pass::{self, Ask};

use crate::house::{FENCE, House, Plan, command, on_terminal, order, run, script, until};
use crate::pass::ask;

/// A filter that answers these calls with ENOSYS, as `bwrap` reads it.
fn filter(calls: &[i64]) -> OwnedFd {
    let rules = calls.iter().map(|&call| (call, Vec::new())).collect();
    let enosys = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, enosys, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    let mut file = tempfile::tempfile().unwrap();
    for step in program {
        let (code, k) = (step.code.to_ne_bytes(), step.k.to_ne_bytes());
        let bytes = [code[0], code[1], step.jt, step.jf, k[0], k[1], k[2], k[3]];
        file.write_all(&bytes).unwrap();
    }
    file.rewind().unwrap();
    file.into()
}

fn sandboxed(more: &[i64], port: u16) -> Option<House> {
    let bwrap = std::process::Command::new("bwrap")
        .args(["--unshare-all", "--ro-bind", "/", "/", "true"])
        .status();
    if !bwrap.is_ok_and(|status| status.success()) {
        return None;
    }
    let denied = [
        libc::SYS_clone3,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_ptrace,
        libc::SYS_io_uring_setup,
        libc::SYS_bpf,
    ];
    let denied: Vec<i64> = denied.iter().chain(more).copied().collect();
    Some(House::build(Plan {
        listeners: vec![port],
        filter: Some(filter(&denied)),
        ..Plan::default()
    }))
}

/// Init's pid as seen from here.
async fn pid_outside(house: &House) -> Pid {
    let parent = house.pid().as_raw_pid();
    let path = format!("/proc/{parent}/task/{parent}/children");
    until(async || Pid::from_raw(std::fs::read_to_string(&path).ok()?.trim().parse().ok()?)).await
}

async fn works(house: &House, port: u16) {
    let link = house.link().await;
    let confined = link.status().await.unwrap().confined;
    assert!(confined.contains(&"seccomp".to_owned()), "{confined:?}");
    let said = run(
        &link,
        script("id -u; cat /proc/1/comm; touch /usr/x 2>/dev/null || echo read-only"),
        b"",
    )
    .await;
    assert_eq!(said.stdout, "1000\nsmartbox-init\nread-only\n");
    let said = run(&link, on_terminal("stty size", 90, 30), b"").await;
    assert_eq!(said.stdout, "30 90\r\n");
    link.write("a/b", 0o600, "text".into()).await.unwrap();
    assert_eq!(link.read("a/b").await.unwrap().unwrap(), "text");
    let mut order = order("echo $$ >up; exec sleep 1000");
    order.cwd = house.document.home.clone();
    assert!(link.engine_start(&order).await.unwrap().engine.pid.unwrap() > 1);
    let mut talks = link
        .exec(command(&[
            "bash",
            "-c",
            &format!("exec 9<>/dev/tcp/127.0.0.1/{port}; echo hi >&9; read -r -u 9 x; echo $x"),
        ]))
        .await
        .unwrap();
    let (byte, fd) = ask(house, Ask::Listener(port), FENCE).await;
    assert_eq!(byte, pass::OK);
    let listener = std::net::TcpListener::from(fd.unwrap());
    listener.set_nonblocking(false).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    peer.set_nonblocking(false).unwrap();
    let mut said = [0; 3];
    peer.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hi\n");
    peer.write_all(b"there\n").unwrap();
    assert_eq!(crate::house::hear(&mut talks).await.stdout, "there\n");
    let (byte, fd) = ask(house, Ask::Dial(port), FENCE).await;
    assert_eq!((byte, fd.is_some()), (pass::OK, true));
}

#[tokio::test]
async fn it_works_as_pid_1_without_any_right() {
    let Some(mut house) = sandboxed(&[], 18_801) else { return };
    works(&house, 18_801).await;
    let init = pid_outside(&house).await;
    kill_process(init, Signal::TERM).unwrap();
    assert_eq!(house.ended().code(), Some(0));
}

#[tokio::test]
async fn it_works_where_newer_calls_are_missing() {
    let newer = [
        libc::SYS_openat2,
        libc::SYS_close_range,
        libc::SYS_landlock_create_ruleset,
        libc::SYS_pidfd_open,
    ];
    let Some(house) = sandboxed(&newer, 18_802) else { return };
    works(&house, 18_802).await;
    let confined = house.link().await.status().await.unwrap().confined;
    assert!(!confined.iter().any(|name| name.starts_with("landlock")), "{confined:?}");
}

#[tokio::test]
async fn the_box_cannot_end_look_into_or_stop_its_pid_1() {
    let Some(house) = sandboxed(&[], 18_803) else { return };
    let link = house.link().await;
    let attack = "kill -TERM 1; kill -INT 1; kill -KILL 1; kill -STOP 1; \
        readlink /proc/1/fd/4 || (: </proc/1/fd/6) 2>/dev/null || (: >>/proc/1/fd/6) 2>/dev/null || echo shut; \
        cat /proc/1/environ /proc/1/mem >/dev/null 2>&1 || echo closed; \
        readlink /proc/1/exe >/dev/null || echo hidden";
    let said = run(&link, script(attack), b"").await;
    assert_eq!(said.stdout, "shut\nclosed\nhidden\n", "{said:?}");
    assert_eq!(run(&link, command(&["echo", "alive"]), b"").await.stdout, "alive\n");
    let said = run(
        &link,
        script("i=0; while [ $i -lt 300 ]; do (true &); i=$((i+1)); done; (setsid sleep 1000 &)"),
        b"",
    )
    .await;
    assert_eq!(said.exit.code, Some(0));
    // Only init and the one who looks are left.
    until(async || {
        let said = run(&link, script("ls /proc | grep -c '^[0-9]'"), b"").await;
        (said.stdout.trim().parse::<u32>().unwrap() <= 4).then_some(())
    })
    .await;
}
