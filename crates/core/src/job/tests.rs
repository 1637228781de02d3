use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::event::{Admit, MAX_BYTES, MAX_EVENTS, MAX_LINE, Tally};
use super::*;

const KEEP: Duration = Duration::from_secs(60);

fn job() -> Job {
    Job {
        id: "job_00000000000000000001".parse().unwrap(),
        account: "acc_00000000000000000001".parse().unwrap(),
        smartbox: None,
        kind: "test".into(),
        actor: "test".into(),
        key: None,
        input: Value::Null,
        state: JobState::Queued,
        asked: None,
        progress: Progress::default(),
        checkpoint: Value::Null,
        result: None,
        failure: None,
        attempts: 0,
        interruptions: 0,
        created: Timestamp(0),
        started: None,
        finished: None,
        expires: None,
    }
}

#[derive(Debug, Clone)]
enum Op {
    Take,
    Interrupt,
    /// By the present run, or by one that lost it.
    Advance {
        stale: bool,
    },
    Settle {
        stale: bool,
        end: End,
    },
    Cancel,
    Pause,
    Resume,
}

fn op() -> impl Strategy<Value = Op> {
    let failure = JobFailure { code: "x".into(), detail: String::new(), hint: String::new() };
    let end = prop_oneof![
        Just(End::Succeeded(json!(1))),
        Just(End::Failed(failure)),
        Just(End::Stopped(None)),
        Just(End::Stopped(Some(json!(2)))),
    ];
    prop_oneof![
        3 => Just(Op::Take),
        1 => Just(Op::Interrupt),
        2 => any::<bool>().prop_map(|stale| Op::Advance { stale }),
        2 => (any::<bool>(), end).prop_map(|(stale, end)| Op::Settle { stale, end }),
        1 => Just(Op::Cancel),
        2 => Just(Op::Pause),
        2 => Just(Op::Resume),
    ]
}

fn apply(job: &mut Job, op: Op, now: Timestamp) -> Result<(), Refusal> {
    let fence = |stale: bool| job.attempts.wrapping_sub(u32::from(stale));
    match op {
        Op::Take => {
            job.take(now, KEEP);
            Ok(())
        }
        Op::Interrupt => {
            job.interrupt(now, KEEP);
            Ok(())
        }
        Op::Advance { stale } => {
            let progress = Progress { done: 1, ..Progress::default() };
            job.advance(fence(stale), progress, Some(json!("here")))
        }
        Op::Settle { stale, end } => job.settle(fence(stale), end, now, KEEP),
        Op::Cancel => job.cancel(now, KEEP),
        Op::Pause => job.pause(),
        Op::Resume => job.resume(),
    }
}

proptest! {
    #[test]
    fn whatever_happens_a_job_stays_sound(ops in prop::collection::vec(op(), 0..60)) {
        let mut job = job();
        for (n, op) in ops.into_iter().enumerate() {
            let (before, now) = (job.clone(), Timestamp(i64::try_from(n).unwrap()));
            let stale = matches!(op, Op::Advance { stale: true } | Op::Settle { stale: true, .. });
            let result = apply(&mut job, op.clone(), now);
            if before.state.is_final() {
                prop_assert_eq!(&job, &before, "an end is an end: {:?}", op);
            }
            if result.is_err() {
                prop_assert_eq!(&job, &before, "a refusal changes nothing: {:?}", op);
            }
            if stale {
                prop_assert_eq!(result, Err(Refusal::Lost));
            }
            prop_assert!(job.attempts >= before.attempts);
            prop_assert_eq!(job.finished.is_some(), job.state.is_final());
            prop_assert_eq!(job.expires, job.finished.map(|at| at.plus(KEEP)));
            prop_assert_eq!(job.failure.is_some(), job.state == JobState::Failed);
            prop_assert!(job.asked.is_none() || job.state == JobState::Running);
            prop_assert!(job.state != JobState::Running || (job.attempts > 0 && job.started.is_some()));
            if before.asked == Some(Asked::Cancel) {
                prop_assert!(job.asked == Some(Asked::Cancel) || job.state.is_final());
            }
        }
    }

    #[test]
    fn the_log_is_bounded_and_its_end_is_always_kept(
        sizes in prop::collection::vec((0u8..4, 0usize..20_000), 0..3000),
    ) {
        let mut tally = Tally::default();
        let mut marks = 0;
        for (what, size) in sizes {
            let what = match what {
                0 => Happening::State { state: JobState::Running },
                1 => Happening::Progress(Progress::default()),
                _ => Happening::line("x"),
            };
            let last = tally.last;
            match tally.admit(&what, size) {
                Admit::Keep(seq) => prop_assert!(seq > last),
                Admit::Mark(seq) => { prop_assert!(seq > last); marks += 1; }
                Admit::Drop => prop_assert!(tally.truncated),
            }
        }
        prop_assert!(marks <= 1);
        prop_assert!(tally.count <= MAX_EVENTS + 201);
        let end = Happening::State { state: JobState::Succeeded };
        prop_assert!(matches!(tally.admit(&end, 30), Admit::Keep(_)));
    }
}

#[test]
fn what_was_asked_of_a_run_that_is_gone_is_done_when_it_is_taken_up() {
    for (asked, state) in [(Asked::Pause, JobState::Paused), (Asked::Cancel, JobState::Cancelled)] {
        let mut job = job();
        job.take(Timestamp(1), KEEP).unwrap();
        match asked {
            Asked::Pause => job.pause().unwrap(),
            Asked::Cancel => job.cancel(Timestamp(2), KEEP).unwrap(),
        }
        assert_eq!(job.take(Timestamp(3), KEEP), None);
        assert_eq!(job.state, state);
    }
}

#[test]
fn a_job_that_ends_the_platform_again_and_again_is_given_up() {
    let mut job = job();
    let mut runs = 0;
    while job.take(Timestamp(1), KEEP).is_some() {
        runs += 1;
    }
    assert_eq!(runs, 1 + MAX_INTERRUPTIONS);
    assert_eq!(job.failure.unwrap().code, INTERRUPTED);
}

#[test]
fn pausing_again_and_again_is_no_interruption() {
    let mut job = job();
    for _ in 0..2 * MAX_INTERRUPTIONS {
        let fence = job.take(Timestamp(1), KEEP).unwrap();
        job.pause().unwrap();
        job.settle(fence, End::Stopped(None), Timestamp(2), KEEP).unwrap();
        assert_eq!(job.state, JobState::Paused);
        job.resume().unwrap();
    }
    assert_eq!(job.interruptions, 0);
}

#[test]
fn a_line_is_cut_between_characters() {
    let Happening::Log { text } = Happening::line("ü".repeat(MAX_LINE)) else { panic!() };
    assert!(text.len() <= MAX_LINE + 3 && text.ends_with('…'));
    assert!(u64::try_from(text.len()).unwrap() < MAX_BYTES);
}

#[test]
fn words_read_back() {
    for state in JobState::ALL {
        assert_eq!(JobState::parse(state.as_str()), Some(state));
        assert_eq!(json!(state), json!(state.as_str()));
    }
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        assert_eq!(json!(outcome), json!(outcome.as_str()));
    }
}
