use super::*;
use crate::smartbox::breaker::LIMIT;
use crate::smartbox::vitals::Ending;
use crate::smartbox::{Desired, Failure, Reason, State};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn row() -> Smartbox {
    let id = "box_00000000000000000001".parse().unwrap();
    let account = "acc_00000000000000000001".parse().unwrap();
    let blank = Smartbox::new(id, account, "pa".into(), NOW);
    Smartbox { desired: Desired::On, state: State::Running, epoch: 1, ..blank }
}

fn told(change: impl FnOnce(&mut Smartbox), act: Option<(&str, &str)>) -> Vec<String> {
    let (before, mut after) = (row(), row());
    change(&mut after);
    let entries = between(&before, &after, act, NOW);
    entries.into_iter().map(|entry| format!("{}: {}", entry.event, entry.detail)).collect()
}

#[test]
fn what_did_not_change_is_not_told() {
    assert!(told(|_| (), None).is_empty());
    let quiet = |row: &mut Smartbox| {
        row.last_active = Timestamp(NOW.0 + 5);
        row.suspension = Some("lease".into());
    };
    assert!(told(quiet, None).is_empty(), "activity and leases are not for people");
}

#[test]
fn a_wish_and_its_asker_are_told() {
    let stop = |row: &mut Smartbox| row.desired = Desired::Off;
    let lines = told(stop, Some(("cli:uid=1000", "box.stop")));
    assert_eq!(lines, ["asked: box.stop by cli:uid=1000", "desired: off instead of on"]);
}

#[test]
fn a_failure_that_opens_the_breaker_is_told_whole() {
    let fail = |row: &mut Smartbox| {
        let failure =
            Failure { reason: Reason::Crash, message: "m".into(), hint: "h".into(), at: NOW };
        let exit = Ending { at: NOW, reason: Reason::Crash, code: None, signal: Some(9) };
        row.vitals.exit = Some(exit);
        for _ in 0..LIMIT {
            row.vitals.breaker.strike(&failure, "pa", NOW);
        }
        (row.state, row.failure) = (State::Failed, Some(failure));
    };
    let lines = told(fail, None);
    assert_eq!(lines[0], "strike: crash, 5 within the window");
    assert!(lines[1].starts_with("breaker: open"), "{lines:?}");
    assert_eq!(lines[2], "exit: the engine ended by itself with signal 9 (crash)");
    assert_eq!(lines[3..], ["state: running → failed", "failed: crash: m"]);
}

#[test]
fn a_detail_is_bounded() {
    let long = |row: &mut Smartbox| {
        let message = "ä".repeat(10_000);
        row.failure =
            Some(Failure { reason: Reason::Crash, message, hint: String::new(), at: NOW });
    };
    assert!(told(long, None)[0].chars().count() < 600);
}
