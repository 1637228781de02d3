//! Terminals: what a person at one relies on, and what a hostile program on one tries.

use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, TtySize};
use tokio::time::timeout;

use crate::house::{
    House, SOON, command, gone, hear, on_terminal, pid_in, run, run_late, script, until,
};

/// Reads the terminal until it has shown this.
async fn shown(exec: &mut smartbox_link::client::Exec, wanted: &str) -> String {
    let mut seen = String::new();
    let reading = async {
        while !seen.contains(wanted) {
            match exec.next().await.unwrap() {
                Some(Frame::Stdout(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                other => panic!("{other:?} after {seen:?}"),
            }
        }
    };
    timeout(SOON, reading).await.unwrap_or_else(|_| panic!("{wanted:?} was never shown"));
    seen
}

#[tokio::test]
async fn the_callers_terminal_is_named_unless_the_name_is_a_path() {
    let house = House::new();
    let link = house.link().await;
    for (given, seen) in [("vt100", "vt100"), ("../../x", "xterm-256color"), ("", "xterm-256color")]
    {
        let mut order = on_terminal("echo $TERM $LANG", 80, 24);
        order.env.insert("TERM".into(), given.into());
        assert_eq!(run(&link, order, b"").await.stdout, format!("{seen} C.UTF-8\r\n"));
    }
}

#[tokio::test]
async fn absurd_sizes_are_made_bearable() {
    let house = House::new();
    let link = house.link().await;
    let text = "stty size; while read -r line; do stty size; done";
    let mut exec = link.exec(on_terminal(text, 0, u16::MAX)).await.unwrap();
    shown(&mut exec, "4096 1\r\n").await;
    exec.input.send(Frame::Resize(TtySize { cols: u16::MAX, rows: 0 })).await.unwrap();
    exec.input.send(Frame::Stdin("\n".into())).await.unwrap();
    shown(&mut exec, "1 4096\r\n").await;
    drop(exec);
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
}

#[tokio::test]
async fn one_who_leaves_hangs_up_and_a_shell_hears_it() {
    let house = House::new();
    let link = house.link().await;
    let text = "trap 'echo heard >heard; exit' HUP; echo up; while :; do sleep 0.02; done";
    // On a busy machine the second that it has may be over before it gets a turn.
    for _ in 0..4 {
        let mut exec = link.exec(on_terminal(text, 80, 24)).await.unwrap();
        shown(&mut exec, "up").await;
        drop(exec);
        until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
        if std::fs::read_to_string(house.home().join("heard")).is_ok_and(|it| it == "heard\n") {
            return;
        }
    }
    panic!("it was killed without a word");
}

#[tokio::test]
async fn one_who_does_not_heed_the_hangup_is_killed() {
    let house = House::new();
    let link = house.link().await;
    let text = "trap '' HUP TERM INT; echo $$ >stubborn; (trap '' HUP; exec sleep 1000) & echo up; \
        while :; do sleep 1; done";
    let mut exec = link.exec(on_terminal(text, 80, 24)).await.unwrap();
    shown(&mut exec, "up").await;
    let pid = pid_in(&house.home().join("stubborn")).await;
    drop(exec);
    gone(pid).await;
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
}

#[tokio::test]
async fn an_interrupt_goes_to_what_has_the_terminal_and_the_shell_stays() {
    let house = House::new();
    let link = house.link().await;
    let order = ExecOrder {
        tty: Some(TtySize { cols: 80, rows: 24 }),
        ..command(&["bash", "--norc", "--noprofile", "-i"])
    };
    let mut exec = link.exec(order).await.unwrap();
    // A job that speaks has the terminal already.
    let job = "sh -c 'echo be\"\"gun; exec sleep 1000'\n";
    exec.input.send(Frame::Stdin(job.into())).await.unwrap();
    shown(&mut exec, "begun\r\n").await;
    exec.input.send(Frame::Signal(libc::SIGINT)).await.unwrap();
    exec.input.send(Frame::Stdin("echo code $?; exit 7\n".into())).await.unwrap();
    let said = timeout(SOON, hear(&mut exec)).await.unwrap();
    assert_eq!(said.exit.code, Some(7), "{said:?}");
    assert!(said.stdout.contains("code 130"), "{said:?}");
}

#[tokio::test]
async fn one_who_closes_its_terminal_and_opens_it_again_is_still_heard() {
    let house = House::new();
    let link = house.link().await;
    let text =
        "echo before; exec </dev/null >/dev/null 2>&1; sleep 0.2; echo after >/dev/tty; exit 4";
    let said = run(&link, on_terminal(text, 80, 24), b"").await;
    assert_eq!((said.stdout.as_str(), said.exit.code), ("before\r\nafter\r\n", Some(4)));
}

#[tokio::test]
async fn one_who_closes_its_terminal_and_stays_meets_the_deadline() {
    let house = House::new();
    let link = house.link().await;
    let text = "exec </dev/null >/dev/null 2>&1; echo $$ >closed; while :; do sleep 1; done";
    let (said, pids) = run_late(&house, &link, &on_terminal(text, 80, 24), &["closed"]).await;
    assert!(said.exit.timed_out, "{said:?}");
    gone(pids[0]).await;
}

#[tokio::test]
async fn a_flood_on_a_terminal_waits_for_its_reader_and_ends_at_the_deadline() {
    let house = House::new();
    let link = house.link().await;
    let mut order = on_terminal("exec yes a long line that fills every window", 80, 24);
    order.timeout_ms = Some(2000);
    let mut flood = link.exec(order).await.unwrap();
    // Nobody reads the flood; init answers all the same.
    for _ in 0..20 {
        assert_eq!(run(&link, command(&["echo", "beside"]), b"").await.stdout, "beside\n");
    }
    assert!(timeout(SOON, hear(&mut flood)).await.unwrap().exit.timed_out);
}

#[tokio::test]
async fn a_flood_of_input_that_nobody_reads_holds_up_no_other() {
    let house = House::new();
    let link = house.link().await;
    let text = "stty raw -echo; echo up; exec sleep 1000";
    let mut exec = link.exec(on_terminal(text, 80, 24)).await.unwrap();
    shown(&mut exec, "up").await;
    let input = exec.input.clone();
    let flood = tokio::spawn(async move {
        while input.send(Frame::Stdin(vec![b'x'; 32 << 10].into())).await.is_ok() {}
    });
    for _ in 0..10 {
        assert_eq!(run(&link, command(&["echo", "beside"]), b"").await.stdout, "beside\n");
    }
    flood.abort();
    drop(exec);
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
}

#[tokio::test]
async fn whoever_forks_away_from_its_terminal_dies_with_it() {
    let house = House::new();
    let link = house.link().await;
    let text = "setsid sh -c 'trap \"\" HUP TERM; echo $$ >away; exec sleep 1000 </dev/null >/dev/null 2>&1' & \
        script -qc 'echo $$ >inner; trap \"\" HUP; sleep 1000' /dev/null & exec sleep 1000";
    let (_, pids) = run_late(&house, &link, &script(text), &["away"]).await;
    for pid in pids {
        gone(pid).await;
    }
    // The same on a terminal, whose caller just leaves.
    std::fs::remove_file(house.home().join("away")).unwrap();
    let mut exec = link.exec(on_terminal(&format!("echo up; {text}"), 80, 24)).await.unwrap();
    shown(&mut exec, "up").await;
    let pid = pid_in(&house.home().join("away")).await;
    drop(exec);
    gone(pid).await;
}

#[tokio::test]
async fn terminals_that_a_box_opens_itself_are_its_own_affair() {
    let house = House::new();
    let link = house.link().await;
    // It takes many, and locks and writes into them; the next command has a clean one.
    let text = "use POSIX; use Fcntl; for (1..200) { sysopen(my $m, '/dev/ptmx', O_RDWR|O_NOCTTY) or last; \
        push @m, $m; } syswrite($_, \"junk\\n\") for @m; $| = 1; print scalar(@m) > 0 ? \"took\\n\" : \"none\\n\"; sleep 1000;";
    let mut hog = link.exec(command(&["perl", "-e", text])).await.unwrap();
    assert_eq!(hog.next().await.unwrap(), Some(Frame::Stdout("took\n".into())));
    let said = run(&link, on_terminal("echo mine; stty size", 90, 30), b"").await;
    assert_eq!(said.stdout, "mine\r\n30 90\r\n");
    drop(hog);
    until(async || (link.status().await.unwrap().execs == 0).then_some(())).await;
}
