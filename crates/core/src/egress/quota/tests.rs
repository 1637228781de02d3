//! Limits beside a plain count, over clocks that go wherever they like.

use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR;
/// The beginning of some day.
const NOON: Timestamp = Timestamp(20_000 * DAY_MS + 12 * HOUR);
const FEW: Quota = Quota { per_minute: 3, up: 100, down: 1_000 };

fn after(ms: i64) -> Timestamp {
    Timestamp(NOON.0 + ms)
}

#[test]
fn so_many_connections_in_a_minute_and_then_one_by_one() {
    let mut spent = Spent::new(NOON);
    let ask = |spent: &mut Spent, ms| spent.enter(&FEW, after(ms));
    for _ in 0..3 {
        assert_eq!(ask(&mut spent, 0), Ok(()));
    }
    assert_eq!(ask(&mut spent, 0), Err(Refusal::Rate));
    assert_eq!(ask(&mut spent, 19_999), Err(Refusal::Rate));
    assert_eq!(ask(&mut spent, 20_000), Ok(()));
    assert_eq!(ask(&mut spent, 20_000), Err(Refusal::Rate));
    let again = (0..10).filter(|_| ask(&mut spent, 10 * HOUR).is_ok()).count();
    assert_eq!(again, 3, "what was not used for hours does not add up");
}

#[test]
fn the_last_byte_of_a_day_is_the_last() {
    let mut spent = Spent::new(NOON);
    assert_eq!(spent.pass(&FEW, Way::Up, 60, after(0)), 60);
    assert_eq!(spent.pass(&FEW, Way::Up, 60, after(1)), 40);
    assert_eq!(spent.pass(&FEW, Way::Up, 1, after(2)), 0);
    assert_eq!(spent.pass(&FEW, Way::Down, 7, after(2)), 7, "the other way is another limit");
    assert_eq!(spent.enter(&FEW, after(3)), Err(Refusal::Volume));
    assert_eq!(spent.enter(&FEW, after(12 * HOUR - 1)), Err(Refusal::Volume));
    assert_eq!(spent.enter(&FEW, after(12 * HOUR)), Ok(()), "a new day");
    assert_eq!(spent.pass(&FEW, Way::Up, 500, after(12 * HOUR)), 100);
}

#[test]
fn nothing_said_is_no_limit() {
    let (mut spent, none) = (Spent::new(NOON), Quota::default());
    for _ in 0..10_000 {
        assert_eq!(spent.enter(&none, NOON), Ok(()));
        assert_eq!(spent.pass(&none, Way::Up, usize::MAX, NOON), usize::MAX);
    }
}

#[test]
fn what_the_account_says_of_today_is_used_up() {
    let today = day(NOON);
    let past = (Timestamp(today.0 - DAY_MS), 100, 100);
    let mut spent = Spent::recall([past, (today, 60, 0), (today, 30, 0)], NOON);
    assert_eq!(spent.pass(&FEW, Way::Up, 100, NOON), 10);
    // The clock went back over midnight while nobody ran: what was tomorrow's counts.
    let tomorrow = Timestamp(today.0 + DAY_MS);
    let mut spent = Spent::recall([(today, 60, 0), (tomorrow, 40, 0)], NOON);
    assert_eq!(spent.pass(&FEW, Way::Up, 1, NOON), 0);
    assert_eq!(spent.pass(&FEW, Way::Up, 1, after(12 * HOUR)), 0, "tomorrow was counted already");
    assert_eq!(spent.pass(&FEW, Way::Up, 1, after(36 * HOUR)), 1);
    // The clock was a year ahead: that says nothing of today.
    let year = Timestamp(today.0 + 365 * DAY_MS);
    assert_eq!(Spent::recall([(year, 100, 0)], NOON).pass(&FEW, Way::Up, 100, NOON), 100);
}

#[test]
fn a_clock_that_jumps_over_midnight_and_back_gives_one_new_day() {
    let mut spent = Spent::new(NOON);
    let mut passed = 0;
    for _ in 0..50 {
        for ms in [12 * HOUR - 1, 12 * HOUR] {
            passed += spent.pass(&FEW, Way::Up, 1_000, after(ms));
        }
    }
    assert_eq!(passed, 200);
}

#[test]
fn a_clock_that_jumps_back_and_forth_within_a_minute_gives_no_connection() {
    let mut spent = Spent::new(NOON);
    let asked = (0..50).flat_map(|_| [0, 19_999]);
    let entered = asked.filter(|ms| spent.enter(&FEW, after(*ms)).is_ok()).count();
    assert_eq!(entered, 3);
}

#[derive(Debug, Clone)]
enum Do {
    Enter,
    Pass(Way, usize),
}

fn steps(jump: std::ops::Range<i64>) -> impl Strategy<Value = Vec<(i64, Do)>> {
    let what = prop_oneof![
        Just(Do::Enter),
        (any::<bool>(), 0..200_usize)
            .prop_map(|(up, n)| Do::Pass(if up { Way::Up } else { Way::Down }, n)),
    ];
    prop::collection::vec((jump, what), 1..200)
}

proptest! {
    /// On a clock that only goes on: of each day at most the limit, and of each minute at most two
    /// full buckets; and where the plain count has room, nothing is refused.
    #[test]
    fn as_a_plain_count_has_it(steps in steps(0..8 * HOUR)) {
        let (mut spent, mut now) = (Spent::new(NOON), NOON);
        let mut days = std::collections::HashMap::<i64, (u64, u64)>::new();
        let mut entered: Vec<i64> = Vec::new();
        for (ms, what) in steps {
            now = Timestamp(now.0 + ms);
            let used = days.entry(day(now).0).or_default();
            match what {
                Do::Pass(way, n) => {
                    let (limit, used) = match way {
                        Way::Up => (FEW.up, &mut used.0),
                        Way::Down => (FEW.down, &mut used.1),
                    };
                    let passed = spent.pass(&FEW, way, n, now) as u64;
                    prop_assert_eq!(passed, (limit - *used).min(n as u64));
                    *used += passed;
                }
                Do::Enter => {
                    let full = used.0 >= FEW.up || used.1 >= FEW.down;
                    let minute = entered.iter().filter(|at| now.0 - **at < 60_000).count();
                    match spent.enter(&FEW, now) {
                        Ok(()) => { prop_assert!(!full && minute < 6); entered.push(now.0); }
                        Err(Refusal::Volume) => prop_assert!(full),
                        Err(_) => prop_assert!(minute >= 3),
                    }
                }
            }
        }
    }

    /// On any clock: a day's limit once for each time that it reached a midnight that it had not, or
    /// went back by more than a day. And two days later there is room, whatever it did.
    #[test]
    fn no_clock_gives_more_or_locks_out(steps in steps(-5 * DAY_MS..5 * DAY_MS)) {
        let (mut spent, mut now) = (Spent::new(NOON), NOON);
        let (mut furthest, mut days, mut passed) = (day(NOON), 1_u64, 0_u64);
        for (ms, what) in steps {
            now = Timestamp(now.0 + ms);
            let today = day(now);
            if today > furthest {
                days += 1;
                furthest = today;
            } else if furthest.0 - today.0 > DAY_MS {
                furthest = today;
            }
            match what {
                Do::Pass(_, n) => passed += spent.pass(&FEW, Way::Up, n, now) as u64,
                Do::Enter => drop(spent.enter(&FEW, now)),
            }
            prop_assert!(passed <= days * FEW.up);
        }
        let later = Timestamp(now.0 + 2 * DAY_MS);
        prop_assert_eq!(spent.enter(&FEW, later), Ok(()));
    }

    /// Neither the ends of time nor those of numbers break it.
    #[test]
    fn no_number_breaks_it(
        times in prop::collection::vec(any::<i64>(), 1..20),
        per_minute: u32, up: u64, down: u64, n: usize,
    ) {
        let quota = Quota { per_minute, up, down };
        let mut spent = Spent::recall([(Timestamp(times[0]), u64::MAX, 7)], Timestamp(times[0]));
        for at in times {
            prop_assert!(spent.pass(&quota, Way::Down, n, Timestamp(at)) <= n);
            let _ = spent.enter(&quota, Timestamp(at));
        }
    }
}
