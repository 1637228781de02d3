//! The engine: start, crash, restart, final codes, stop, log, record.

use std::time::{Duration, Instant};

use smartbox_link::LinkError;
use smartbox_link::wire::{EngineOrder, EngineState};

use crate::house::{FENCE, House, Plan, gone, order, pid_in, runs, until};

#[tokio::test]
async fn the_same_order_twice_is_one_start_and_another_replaces_it() {
    let house = House::new();
    let link = house.link().await;
    assert_eq!(link.status().await.unwrap().engine.state, EngineState::Idle);
    let first = link.engine_start(&order("exec sleep 1000")).await.unwrap();
    assert_eq!((first.id.as_str(), first.fence), ("sb_test", FENCE));
    let again = link.engine_start(&order("exec sleep 1000")).await.unwrap();
    assert_eq!(first.engine.pid, again.engine.pid);
    assert_eq!(again.engine.starts, 1);
    let other = link.engine_start(&order("exec sleep 1001")).await.unwrap();
    assert_ne!(first.engine.pid, other.engine.pid);
    assert_eq!((other.engine.state, other.engine.starts), (EngineState::Running, 1));
    assert!(!runs(i32::try_from(first.engine.pid.unwrap()).unwrap()));
}

#[tokio::test]
async fn a_crash_is_followed_by_a_start_within_a_second() {
    let house = House::new();
    let link = house.link().await;
    let mut order = order("echo run >>runs; [ $(wc -l <runs) -gt 1 ] && exec sleep 1000; exit 3");
    order.cwd = house.document.home.clone();
    // Before it was there: it may have crashed before its start is answered.
    let ordered = Instant::now();
    link.engine_start(&order).await.unwrap();
    let status = house.engine(&link, |engine| engine.starts == 2).await;
    assert!(ordered.elapsed() >= Duration::from_millis(200), "without a pause it would spin");
    assert_eq!(status.state, EngineState::Running);
    assert_eq!(status.last_exit.unwrap().code, Some(3));
    let record: serde_json::Value = serde_json::from_str(house.text("exits").trim()).unwrap();
    assert_eq!(
        (&record["code"], &record["starts"], &record["oom"]),
        (&3.into(), &1.into(), &false.into())
    );
    assert!(record["at_ms"].as_i64().unwrap() > 1_600_000_000_000);
    assert!(house.text("log").contains("[init] the engine ended with code 3"));
}

#[tokio::test]
async fn what_a_crashed_engine_leaves_behind_is_killed_before_the_next_start() {
    let house = House::new();
    let link = house.link().await;
    let mut order = order(
        "setsid sh -c 'echo $$ >daemon; exec sleep 1000' & while [ ! -s daemon ]; do :; done; exit 78",
    );
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    let daemon = pid_in(&house.home().join("daemon")).await;
    let status = house.engine(&link, |engine| engine.state == EngineState::Ended).await;
    assert_eq!((status.starts, status.last_exit.unwrap().code), (1, Some(78)));
    gone(daemon).await;
}

#[tokio::test]
async fn an_engine_that_ignores_the_request_to_end_is_killed_with_its_tree() {
    let house = House::new();
    let link = house.link().await;
    let mut order = order(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >deaf; while :; do sleep 1; done' & echo $$ >main; while :; do sleep 1; done",
    );
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    let (main, deaf) =
        (pid_in(&house.home().join("main")).await, pid_in(&house.home().join("deaf")).await);
    let status = link.engine_stop(Duration::from_millis(300)).await.unwrap().engine;
    assert_eq!((status.state, status.pid), (EngineState::Ended, None));
    assert_eq!(status.last_exit.unwrap().signal, Some(9));
    assert!(!runs(main));
    gone(deaf).await;
    assert_eq!(link.engine_start(&order).await.unwrap().engine.starts, 1);
}

#[tokio::test]
async fn an_engine_that_ends_when_asked_is_not_killed() {
    let house = House::new();
    let link = house.link().await;
    let mut order = order("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done");
    order.final_codes.clear();
    link.engine_start(&order).await.unwrap();
    until(async || house.text("log").contains("up").then_some(())).await;
    let status = link.engine_stop(Duration::from_secs(50)).await.unwrap().engine;
    assert_eq!(status.last_exit.unwrap().code, Some(0));
    until(async || house.text("log").contains("bye").then_some(())).await;
    assert_eq!(link.engine_stop(Duration::ZERO).await.unwrap().engine.state, EngineState::Ended);
}

#[tokio::test]
async fn a_stop_ends_the_pause_between_two_starts() {
    let house = House::new();
    let link = house.link().await;
    link.engine_start(&order("exit 1")).await.unwrap();
    house.engine(&link, |engine| engine.state == EngineState::Backoff && engine.starts >= 3).await;
    assert_eq!(link.engine_stop(Duration::ZERO).await.unwrap().engine.state, EngineState::Ended);
}

#[tokio::test]
async fn an_order_that_cannot_be_run_is_refused_with_the_reason() {
    let house = House::new();
    let link = house.link().await;
    let bad = |change: fn(&mut EngineOrder)| {
        let mut order = order("true");
        change(&mut order);
        order
    };
    let orders = [
        (bad(|order| order.argv = vec!["/no/such/engine".into()]), "executing the program"),
        (bad(|order| order.argv.clear()), "no program"),
        (bad(|order| order.cwd = "/no/such/place".into()), "entering its directory"),
    ];
    for (order, why) in orders {
        match link.engine_start(&order).await {
            Err(LinkError::Refused(message)) => assert!(message.contains(why), "{message}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(link.status().await.unwrap().engine.state, EngineState::Ended);
    }
}

#[tokio::test]
async fn a_talkative_engine_has_a_bounded_log_and_goes_on() {
    let house = House::build(Plan { log_cap: Some(10_000), ..Plan::default() });
    let link = house.link().await;
    let mut order = order(
        "i=0; while [ $i -lt 3000 ]; do echo line $i of many words; i=$((i+1)); done; echo done >done; exec sleep 1000",
    );
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    until(async || house.home().join("done").exists().then_some(())).await;
    until(async || house.text("log.1").contains("many words").then_some(())).await;
    let (past, log) = (house.text("log.1"), house.text("log"));
    assert!(past.len() < 5_100 && log.len() < 5_200, "{} {}", past.len(), log.len());
    assert_eq!(link.status().await.unwrap().engine.starts, 1);
}

#[tokio::test]
async fn an_engine_inherits_nothing_but_its_three_descriptors() {
    let house = House::new();
    let link = house.link().await;
    let mut order = order("ls /proc/self/fd | wc -l >fds; env >env; ulimit -c >core; exit 78");
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    house.engine(&link, |engine| engine.state == EngineState::Ended).await;
    // `ls` has the directory open besides.
    assert_eq!(std::fs::read_to_string(house.home().join("fds")).unwrap().trim(), "4");
    assert_eq!(std::fs::read_to_string(house.home().join("core")).unwrap().trim(), "0");
    let env = std::fs::read_to_string(house.home().join("env")).unwrap();
    let known = ["PATH=", "PWD=", "SMARTBOX_GROUP=", "_=", "SHLVL=", "OLDPWD="];
    assert!(env.lines().all(|line| known.iter().any(|name| line.starts_with(name))), "{env}");
}

#[tokio::test]
async fn a_death_for_want_of_memory_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("memory.events");
    std::fs::write(&events, "oom 0\noom_kill 0\n").unwrap();
    let oom = std::fs::File::open(&events).unwrap();
    let house = House::build(Plan { oom: Some(oom.into()), ..Plan::default() });
    let link = house.link().await;
    // Once: the next death, which has another reason, may come before anybody looks.
    let mut order = order("while [ ! -e die ]; do sleep 0.01; done; rm die; kill -9 $$");
    order.cwd = house.document.home.clone();
    link.engine_start(&order).await.unwrap();
    std::fs::write(&events, "oom 1\noom_kill 1\n").unwrap();
    std::fs::write(house.home().join("die"), "").unwrap();
    let status = house.engine(&link, |engine| engine.last_exit.is_some()).await;
    let exit = status.last_exit.unwrap();
    assert_eq!((exit.signal, exit.oom), (Some(9), true));
}
