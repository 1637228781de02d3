//! Commands beside the engine.

use smartbox_link::LinkError;
use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, TtySize};
use tokio::time::timeout;

use crate::house::{
    House, Plan, SOON, command, gone, hear, on_terminal, pid_in, run, run_late, script, until,
};

#[tokio::test]
async fn a_command_says_what_it_says_and_how_it_ends() {
    let house = House::new();
    let link = house.link().await;
    let said = run(&link, script("echo out; echo err >&2; pwd; exit 42"), b"").await;
    assert_eq!(said.stdout, format!("out\n{}\n", house.document.home));
    assert_eq!((said.stderr.as_str(), said.exit.code), ("err\n", Some(42)));
    let said = run(&link, script("kill -TERM $$"), b"").await;
    assert_eq!((said.exit.code, said.exit.signal), (None, Some(15)));
    assert_eq!(link.status().await.unwrap().execs, 0);
}

#[tokio::test]
async fn the_environment_is_minimal_and_the_orders() {
    let house = House::new();
    let link = house.link().await;
    let mut order = command(&["env"]);
    order.env.insert("ASKED".into(), "for".into());
    let said = run(&link, order, b"").await;
    for line in ["ASKED=for", &format!("HOME={}", house.document.home), "TERM=dumb", "LANG=C.UTF-8"]
    {
        assert!(said.stdout.lines().any(|l| l == line), "{line} in {}", said.stdout);
    }
    assert!(said.stdout.lines().count() <= 6, "{}", said.stdout);
}

/// As without a sandbox: what every box calls `/home/box` is not there.
#[tokio::test]
async fn an_order_finds_what_lies_elsewhere() {
    let lies = tempfile::tempdir().unwrap();
    let real = lies.path().to_str().unwrap().to_owned();
    let places = vec![("/home/box".to_owned(), real.clone())];
    let house = House::build(Plan { places, ..Plan::default() });
    let link = house.link().await;
    let mut order = script("pwd; echo $ASKED; cd /home/box/ && pwd; echo /home/boxes");
    order.cwd = Some("/home/box".into());
    order.env.insert("ASKED".into(), "/bin:/home/box/bin".into());
    let said = run(&link, order, b"").await;
    assert_eq!(said.stdout, format!("{real}\n/bin:{real}/bin\n{real}\n/home/boxes\n"));
}

#[tokio::test]
async fn megabytes_go_through_both_ways() {
    let house = House::new();
    let link = house.link().await;
    let input: Vec<u8> = (0..3_000_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    let said = run(&link, command(&["cat"]), &input).await;
    assert_eq!(said.exit.code, Some(0));
    assert!(said.stdout.as_bytes() == input);
}

#[tokio::test]
async fn a_command_that_does_not_read_holds_its_caller_back_and_nobody_else() {
    let house = House::new();
    let link = house.link().await;
    // Without a deadline: once it is dead, whatever is sent to it is taken.
    let order = ExecOrder { timeout_ms: None, ..command(&["sleep", "1000"]) };
    let exec = link.exec(order).await.unwrap();
    let input = exec.input.clone();
    let flood = tokio::spawn(async move {
        let mut sent = 0_u64;
        while input.send(Frame::Stdin(vec![0; 32 << 10].into())).await.is_ok() {
            sent += 32 << 10;
            assert!(sent < 64 << 20, "nothing holds the caller back");
        }
    });
    // Once the caller is held back, a large file goes beside it on the same connection.
    for _ in 0..3 {
        let said = run(&link, command(&["echo", "beside"]), b"").await;
        assert_eq!(said.stdout, "beside\n");
        link.write("beside", 0o600, vec![1; 8 << 20].into()).await.unwrap();
    }
    assert!(!flood.is_finished());
    flood.abort();
    drop(exec);
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
}

#[tokio::test]
async fn commands_that_nobody_listens_to_hold_up_no_other() {
    let house = House::new();
    let link = house.link().await;
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(
            link.exec(command(&["yes", "a long line to fill every window that there is"]))
                .await
                .unwrap(),
        );
    }
    let said = run(&link, script("exec head -c 1000000 /dev/zero"), b"").await;
    assert_eq!(said.stdout.len(), 1_000_000);
}

#[tokio::test]
async fn a_caller_that_does_not_listen_slows_the_command_and_still_meets_the_deadline() {
    let house = House::new();
    let link = house.link().await;
    let order = ExecOrder { timeout_ms: Some(3000), ..command(&["yes"]) };
    let mut exec = link.exec(order).await.unwrap();
    // It fills every window, and dies while nobody listens.
    until(async || (yes_runs(&house) || link.status().await.unwrap().execs == 0).then_some(()))
        .await;
    until(async || (!yes_runs(&house)).then_some(())).await;
    let said = timeout(SOON, hear(&mut exec)).await.unwrap();
    assert!(said.exit.timed_out);
}

/// Whether init has a child of this name.
fn yes_runs(house: &House) -> bool {
    let init = house.pid().as_raw_pid();
    let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children"));
    let comm = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    children.unwrap_or_default().split_ascii_whitespace().any(|pid| comm(pid) == "yes\n")
}

#[tokio::test]
async fn the_deadline_kills_grandchildren_and_daemons() {
    let house = House::new();
    let link = house.link().await;
    let text = "sh -c 'echo $$ >grandchild; exec sleep 1000' & \
        setsid sh -c 'trap \"\" HUP TERM; (echo $(exec sh -c \"echo \\$PPID\") >daemon; exec sleep 1000) & exit' ; \
        exec sleep 1000";
    let (said, pids) = run_late(&house, &link, &script(text), &["grandchild", "daemon"]).await;
    assert_eq!((said.exit.timed_out, said.exit.signal), (true, Some(9)));
    for pid in pids {
        gone(pid).await;
    }
}

#[tokio::test]
async fn going_away_cancels_and_kills() {
    let house = House::new();
    let link = house.link().await;
    let exec = link.exec(script("echo $$ >pid; sleep 1000 & exec sleep 1001")).await.unwrap();
    let pid = pid_in(&house.home().join("pid")).await;
    drop(exec);
    gone(pid).await;
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
    // The same when the connection is lost.
    let other = house.link().await;
    let exec = other.exec(script("echo $$ >pid2; exec sleep 1000")).await.unwrap();
    let pid = pid_in(&house.home().join("pid2")).await;
    drop((exec, other));
    gone(pid).await;
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_killed_and_its_output_not_waited_for() {
    let house = House::new();
    let link = house.link().await;
    let said = run(&link, script("sleep 1000 & echo $! >left; echo done"), b"").await;
    assert_eq!((said.stdout.as_str(), said.exit.code), ("done\n", Some(0)));
    gone(pid_in(&house.home().join("left")).await).await;
}

#[tokio::test]
async fn signals_reach_the_command() {
    let house = House::new();
    let link = house.link().await;
    let text = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.02; done";
    let mut exec = link.exec(script(text)).await.unwrap();
    assert_eq!(exec.next().await.unwrap(), Some(Frame::Stdout("ready\n".into())));
    exec.input.send(Frame::Signal(-3)).await.unwrap();
    exec.input.send(Frame::Signal(2)).await.unwrap();
    let said = timeout(SOON, hear(&mut exec)).await.unwrap();
    assert_eq!((said.stdout.as_str(), said.exit.code), ("caught\n", Some(5)));
}

#[tokio::test]
async fn a_terminal_has_its_size_and_changes_it() {
    let house = House::new();
    let link = house.link().await;
    let text = "trap 'stty size; exit 0' WINCH; test -t 0 && test -t 2 && stty size; while :; do sleep 0.02; done";
    let mut exec = link.exec(on_terminal(text, 101, 33)).await.unwrap();
    assert_eq!(exec.next().await.unwrap(), Some(Frame::Stdout("33 101\r\n".into())));
    exec.input.send(Frame::Resize(TtySize { cols: 120, rows: 40 })).await.unwrap();
    let said = timeout(SOON, hear(&mut exec)).await.unwrap();
    assert_eq!((said.stdout.as_str(), said.exit.code), ("40 120\r\n", Some(0)));
}

#[tokio::test]
async fn a_terminal_takes_the_interrupt_character_and_the_end_of_input() {
    let house = House::new();
    let link = house.link().await;
    let mut exec = link.exec(on_terminal("echo go; exec cat", 80, 24)).await.unwrap();
    assert_eq!(exec.next().await.unwrap(), Some(Frame::Stdout("go\r\n".into())));
    exec.input.send(Frame::Stdin(vec![3].into())).await.unwrap();
    assert_eq!(timeout(SOON, hear(&mut exec)).await.unwrap().exit.signal, Some(2));
    let said = run(&link, on_terminal("stty -echo; exec cat", 80, 24), b"").await;
    assert_eq!(said.exit.code, Some(0));
}

#[tokio::test]
async fn what_cannot_be_run_fails_with_the_reason() {
    let house = House::new();
    let link = house.link().await;
    let said = run(&link, command(&["no-such-program"]), b"").await;
    assert!(said.failed.unwrap().contains("executing the program"));
    let order = ExecOrder { cwd: Some("/no/such/place".into()), ..script("true") };
    assert!(run(&link, order, b"").await.failed.unwrap().contains("entering its directory"));
    for order in [command(&[]), command(&["a\0b"])] {
        assert!(matches!(link.exec(order).await.err(), Some(LinkError::Refused(_))));
    }
    assert_eq!(link.status().await.unwrap().execs, 0);
}

#[tokio::test]
async fn there_is_room_for_so_many_commands_and_no_more() {
    let house = House::new();
    let link = house.link().await;
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(link.exec(command(&["sleep", "1000"])).await.unwrap());
    }
    assert!(matches!(link.exec(command(&["true"])).await.err(), Some(LinkError::Refused(_))));
    drop(held);
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
    assert_eq!(run(&link, command(&["true"]), b"").await.exit.code, Some(0));
}

#[tokio::test]
async fn files_grow_to_the_limit_and_no_further() {
    let house = House::build(Plan { file_bytes: 64 << 10, ..Plan::default() });
    let link = house.link().await;
    let said = run(&link, script("exec dd if=/dev/zero of=big bs=1k count=1000"), b"").await;
    assert_eq!(said.exit.signal, Some(25), "{said:?}");
    assert_eq!(std::fs::metadata(house.home().join("big")).unwrap().len(), 64 << 10);
}

#[tokio::test]
async fn commands_write_at_home_and_nowhere_else() {
    let house = House::new();
    let link = house.link().await;
    if !link.status().await.unwrap().confined.iter().any(|name| name.starts_with("landlock")) {
        return;
    }
    let outside = format!("/etc/.smartbox-init-test-{}", std::process::id());
    let said = run(&link, command(&["touch", &outside]), b"").await;
    let written = std::fs::remove_file(&outside).is_ok();
    assert!(!written && said.exit.code == Some(1), "{said:?}");
    let text = "mkdir a b && echo x >a/f && mv a/f b/f && ln b/f a/g && : >b/f && truncate -s 5 b/f && \
        ln -s f b/l && echo y >/dev/null && cat /etc/passwd >/dev/null && rm -r a b && echo fine";
    assert_eq!(run(&link, script(text), b"").await.stdout, "fine\n");
    let said = run(&link, on_terminal("stty -echo && echo t >/dev/tty", 80, 24), b"").await;
    assert_eq!((said.stdout.as_str(), said.exit.code), ("t\r\n", Some(0)));
}

#[tokio::test]
async fn a_thousand_orphans_are_reaped() {
    let house = House::new();
    let link = house.link().await;
    let text = "i=0; while [ $i -lt 1000 ]; do (true &); i=$((i+1)); done; echo done";
    let mut order = script(text);
    order.timeout_ms = None;
    assert_eq!(run(&link, order, b"").await.stdout, "done\n");
    let init = house.pid().as_raw_pid();
    until(async || {
        let children = format!("/proc/{init}/task/{init}/children");
        std::fs::read_to_string(children).ok()?.trim().is_empty().then_some(())
    })
    .await;
    assert_eq!(run(&link, command(&["echo", "well"]), b"").await.stdout, "well\n");
}
