//! Properties of the plan, over arbitrary rows and arbitrary evidence.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::sandbox::{Exit, Memory};
use crate::smartbox::{Failure, Reason};

const POLICY: SleepPolicy =
    SleepPolicy { freeze_after: Duration::from_secs(600), stop_after: Duration::from_hours(24) };
const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn failure() -> Failure {
    Failure { reason: Reason::Crash, message: "m".into(), hint: "h".into(), at: NOW }
}

fn blank() -> Smartbox {
    let id = "box_00000000000000000001".parse().unwrap();
    let account = "acc_00000000000000000001".parse().unwrap();
    Smartbox { tier: "t".into(), ..Smartbox::new(id, account, "pa".into(), Timestamp(0)) }
}

prop_compose! {
    fn rows()(
        desired in prop::sample::select(vec![Desired::On, Desired::Auto, Desired::Off]),
        rest in prop::option::of(prop::sample::select(vec![Rest::Frozen, Rest::Stopped])),
        state in prop::sample::select(vec![State::Stopped, State::Starting, State::Running, State::Frozen, State::Failed]),
        epoch in 1_u64..3,
        restart in 0_u64..2,
        idle in 0_i64..200_000_000,
        alarm in prop::option::of(-1_000_i64..1_000_000),
        retry in prop::option::of(-1_000_i64..100_000),
        removing in prop::bool::weighted(0.1),
    ) -> Smartbox {
        Smartbox {
            desired, rest, state, failure: (state == State::Failed).then(failure), epoch, restart, restarted: 0,
            slot: 0, alarm: alarm.map(|by| Timestamp(NOW.0 + by)), suspension: None,
            last_active: Timestamp(NOW.0 - idle), failures: 0, retry_at: retry.map(|by| Timestamp(NOW.0 + by)),
            removing,
            ..blank()
        }
    }
}

prop_compose! {
    fn sandboxes()(
        phase in prop::sample::select(vec![Phase::Absent, Phase::Up, Phase::Frozen]),
        fence in 1_u64..3,
        engine in prop::sample::select(vec![
            EngineProcess::Unknown, EngineProcess::Idle, EngineProcess::Running { starts: 1, last: None },
            EngineProcess::Backoff { starts: 2, last: Exit { code: Some(1), signal: None, oom: false } },
            EngineProcess::Ended { last: Exit { code: Some(78), signal: None, oom: false } },
        ]),
    ) -> Observed {
        Observed { id: "box_00000000000000000001".parse().unwrap(), phase, fence, engine, memory: Memory::default() }
    }
}

/// What performing a step does to row and sandbox when it goes well.
fn apply(step: Step, row: &mut Smartbox, sandbox: &mut Observed, ready: &mut bool) {
    match step {
        Step::Start => {
            row.epoch += 1;
            row.restarted = row.restart;
            (sandbox.phase, sandbox.fence) = (Phase::Up, row.epoch);
            (sandbox.engine, *ready) = (EngineProcess::Running { starts: 1, last: None }, true);
        }
        Step::StartEngine => sandbox.engine = EngineProcess::Running { starts: 1, last: None },
        Step::AwaitReady => {
            (sandbox.engine, *ready) = (EngineProcess::Running { starts: 1, last: None }, true);
            row.alarm = row.alarm.filter(|at| *at > NOW);
        }
        Step::Thaw => {
            sandbox.phase = Phase::Up;
            row.alarm = row.alarm.filter(|at| *at > NOW);
        }
        Step::Freeze => sandbox.phase = Phase::Frozen,
        Step::Stop | Step::Discard => {
            (sandbox.phase, *ready) = (Phase::Absent, false);
        }
        Step::Forget => {}
        Step::Record(state) => row.state = state,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn performing_the_plan_ends_where_it_was_wished(mut row in rows(), mut sandbox in sandboxes(), busy: bool, mut ready: bool) {
        ready &= sandbox.phase == Phase::Up && matches!(sandbox.engine, EngineProcess::Running { .. });
        let held_back = row.state == State::Failed;
        for _ in 0..8 {
            // Whoever waits for an init that says nothing, finds it dead in the end.
            let dead = sandbox.engine == EngineProcess::Unknown;
            let steps = plan(&row, &Seen { sandbox: &sandbox, busy, ready, dead }, POLICY, NOW);
            if steps.contains(&Step::Forget) {
                prop_assert!(row.removing);
                return Ok(());
            }
            if steps.is_empty() {
                let wished = target(&row, busy, POLICY, NOW);
                if held_back && row.state == State::Failed {
                    return Ok(());
                }
                match wished {
                    Target::Running => prop_assert_eq!((sandbox.phase, row.state, ready), (Phase::Up, State::Running, true)),
                    Target::Frozen => prop_assert!(matches!((sandbox.phase, row.state), (Phase::Frozen, State::Frozen) | (Phase::Absent, State::Stopped))),
                    Target::Stopped => prop_assert_eq!((sandbox.phase, row.state), (Phase::Absent, State::Stopped)),
                }
                return Ok(());
            }
            for step in steps {
                apply(step, &mut row, &mut sandbox, &mut ready);
            }
        }
        prop_assert!(false, "the plan did not come to rest");
    }

    #[test]
    fn what_is_busy_and_not_told_to_rest_is_neither_frozen_nor_stopped(mut row in rows(), sandbox in sandboxes(), ready: bool, on: bool) {
        row.desired = if on { Desired::On } else { Desired::Auto };
        (row.rest, row.removing, row.restart) = (None, false, row.restarted);
        let steps = plan(&row, &Seen { sandbox: &sandbox, busy: true, ready, dead: false }, POLICY, NOW);
        prop_assert!(!steps.contains(&Step::Freeze) && !steps.contains(&Step::Stop));
    }

    #[test]
    fn a_box_whose_breaker_is_open_is_never_started(mut row in rows(), mut sandbox in sandboxes(), busy: bool, ready: bool, dead: bool) {
        row.vitals.breaker.open = Some(failure());
        (row.removing, row.desired) = (false, Desired::On);
        let mut ready = ready && sandbox.phase == Phase::Up;
        for _ in 0..4 {
            let steps = plan(&row, &Seen { sandbox: &sandbox, busy, ready, dead }, POLICY, NOW);
            prop_assert!(!steps.iter().any(|step| matches!(step, Step::Start | Step::StartEngine)));
            if steps.is_empty() {
                if target(&row, busy, POLICY, NOW) == Target::Running {
                    prop_assert_eq!((sandbox.phase, row.state), (Phase::Absent, State::Failed));
                }
                return Ok(());
            }
            for step in steps {
                apply(step, &mut row, &mut sandbox, &mut ready);
            }
        }
        prop_assert!(false, "the plan did not come to rest");
    }

    #[test]
    fn an_engine_that_is_dead_gets_a_new_sandbox(mut row in rows(), mut sandbox in sandboxes()) {
        (row.desired, row.rest, row.removing, row.restart) = (Desired::On, None, false, row.restarted);
        (sandbox.phase, sandbox.fence) = (Phase::Up, row.epoch);
        sandbox.engine = EngineProcess::Running { starts: 1, last: None };
        let steps = plan(&row, &Seen { sandbox: &sandbox, busy: true, ready: true, dead: true }, POLICY, NOW);
        prop_assert_eq!(steps.first(), Some(&Step::Discard));
        prop_assert!(steps.contains(&Step::Start));
    }

    #[test]
    fn what_init_does_not_say_at_this_moment_ends_nothing(mut row in rows(), mut sandbox in sandboxes(), ready: bool) {
        (row.desired, row.rest, row.removing, row.restart) = (Desired::On, None, false, row.restarted);
        (sandbox.phase, sandbox.fence, sandbox.engine) = (Phase::Up, row.epoch, EngineProcess::Unknown);
        let steps = plan(&row, &Seen { sandbox: &sandbox, busy: true, ready, dead: false }, POLICY, NOW);
        prop_assert!(!steps.iter().any(|step| matches!(step, Step::Discard | Step::Stop)), "{steps:?}");
    }

    #[test]
    fn a_sandbox_of_another_epoch_is_never_used(row in rows(), mut sandbox in sandboxes(), busy: bool, up: bool) {
        (sandbox.fence, sandbox.phase) = (row.epoch + 1, if up { Phase::Up } else { Phase::Frozen });
        let steps = plan(&row, &Seen { sandbox: &sandbox, busy, ready: false, dead: false }, POLICY, NOW);
        prop_assert_eq!(steps.first(), Some(&Step::Discard));
    }

    #[test]
    fn the_next_look_lies_ahead_and_before_any_change_by_time(row in rows(), busy: bool, later in 0_i64..300_000_000) {
        let before = target(&row, busy, POLICY, NOW);
        let then = Timestamp(NOW.0 + later);
        if target(&row, busy, POLICY, then) != before {
            let look = next_look(&row, POLICY, NOW);
            prop_assert!(look.is_some_and(|at| at > NOW && at <= then), "{look:?}");
        }
    }
}

#[test]
fn the_backoff_grows_to_five_minutes() {
    assert_eq!(backoff(1), Duration::from_secs(1));
    assert_eq!(backoff(4), Duration::from_secs(8));
    assert_eq!(backoff(60), Duration::from_mins(5));
}
