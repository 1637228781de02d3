use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// 2026-11-28 00:00 UTC, a Saturday.
const SATURDAY: i64 = 1_795_824_000_000;

fn dated(all: &[i64]) -> Vec<Dated> {
    let one = |(n, at): (usize, &i64)| Dated {
        generation: Generation(n as u64 + 1),
        taken: Timestamp(*at),
    };
    all.iter().enumerate().map(one).collect()
}

fn kept(keep: Keep, all: &[Dated]) -> Vec<Dated> {
    keep.choose(all).into_iter().zip(all).filter(|(kept, _)| *kept).map(|(_, one)| *one).collect()
}

/// A calendar that is slow and plain: it counts days, one after the other, from 1970 on or back.
fn civil(day: i64) -> (i64, u32, u32) {
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let length = |y: i64, m: u32| match m {
        2 => 28 + u32::from(leap(y)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (mut y, mut m, mut d) = (1970, 1, 1);
    for _ in 0..day {
        d += 1;
        if d > length(y, m) {
            (m, d) = (m + 1, 1);
        }
        if m > 12 {
            (y, m) = (y + 1, 1);
        }
    }
    (y, m, d)
}

#[test]
fn months_are_those_of_the_calendar() {
    let mut before = None;
    for day in 0..15_000 {
        let (y, m, _) = civil(day);
        let this = (month(day), (y, m));
        if let Some((number, named)) = before {
            assert_eq!(number == this.0, named == this.1, "day {day}");
            assert!(number <= this.0, "day {day}");
        }
        before = Some(this);
    }
    assert_eq!(civil(SATURDAY / DAY), (2026, 11, 28));
}

#[test]
fn a_week_begins_on_monday() {
    let keep = Keep { weekly: 9, ..Keep::default() };
    // Saturday, Sunday | Monday, Tuesday
    let all = dated(&[SATURDAY, SATURDAY + DAY, SATURDAY + 2 * DAY, SATURDAY + 3 * DAY]);
    assert_eq!(kept(keep, &all), [all[1], all[3]]);
}

#[test]
fn without_a_rule_the_newest_is_kept() {
    let all = dated(&[1, 2, 3]);
    assert_eq!(kept(Keep::default(), &all), [all[2]]);
    assert!(kept(Keep::default(), &[]).is_empty());
}

#[test]
fn a_clock_that_moved_back_does_not_make_the_newest_old() {
    let all = dated(&[SATURDAY, SATURDAY + DAY, 0]);
    assert!(kept(Keep { last: 1, ..Keep::default() }, &all).contains(&all[2]));
    let rules = Keep { daily: 1, ..Keep::default() };
    assert_eq!(kept(rules, &all), [all[1], all[2]], "both readings of newest are kept");
}

#[test]
fn hours_without_one_do_not_count() {
    let keep = Keep { hourly: 2, ..Keep::default() };
    let all = dated(&[SATURDAY, SATURDAY + 1, SATURDAY + 90 * HOUR]);
    assert_eq!(kept(keep, &all), [all[1], all[2]]);
}

/// The rules as one would say them, by sets and without an order of going through.
fn reference(keep: Keep, all: &[Dated]) -> BTreeSet<u64> {
    let mut out: BTreeSet<u64> = BTreeSet::new();
    let mut numbers: Vec<u64> = all.iter().map(|one| one.generation.0).collect();
    numbers.sort_unstable();
    out.extend(numbers.iter().rev().take(keep.last.max(1) as usize));
    let named = |rule: usize, at: Timestamp| -> (i64, i64) {
        let days = at.0 / DAY;
        let (y, m, _) = civil(days);
        match rule {
            0 => (days, (at.0 / HOUR) % 24),
            1 => (days, 0),
            2 => ((days + 3) / 7, 0),
            _ => (y, i64::from(m)),
        }
    };
    for (rule, count) in
        [keep.hourly, keep.daily, keep.weekly, keep.monthly].into_iter().enumerate()
    {
        let periods: BTreeSet<_> = all.iter().map(|one| named(rule, one.taken)).collect();
        for period in periods.iter().rev().take(count as usize) {
            let within = all.iter().filter(|one| named(rule, one.taken) == *period);
            out.extend(
                within.max_by_key(|one| (one.taken, one.generation)).map(|one| one.generation.0),
            );
        }
    }
    out
}

fn rules() -> impl Strategy<Value = Keep> {
    let count = || 0u32..6;
    (count(), count(), count(), count(), count()).prop_map(
        |(last, hourly, daily, weekly, monthly)| Keep { last, hourly, daily, weekly, monthly },
    )
}

fn shelves() -> impl Strategy<Value = Vec<Dated>> {
    // Dense enough that periods are shared, in any order of dates.
    let at = prop_oneof![0..200 * DAY, 0..3 * DAY, (0..200i64).prop_map(|n| n * HOUR)];
    prop::collection::vec(at, 0..60).prop_map(|all| dated(&all))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn it_is_what_the_rules_say(keep in rules(), all in shelves()) {
        let ours: BTreeSet<u64> = kept(keep, &all).iter().map(|one| one.generation.0).collect();
        prop_assert_eq!(ours, reference(keep, &all));
    }

    #[test]
    fn the_newest_is_never_dropped(keep in rules(), all in shelves()) {
        prop_assert!(all.is_empty() || kept(keep, &all).contains(all.last().unwrap()));
    }

    #[test]
    fn asked_again_of_what_was_kept_it_drops_nothing(keep in rules(), all in shelves()) {
        let once = kept(keep, &all);
        prop_assert_eq!(&kept(keep, &once), &once);
    }

    #[test]
    fn the_order_in_which_they_are_listed_is_nothing(keep in rules(), all in shelves()) {
        let mut back: Vec<Dated> = all.iter().rev().copied().collect();
        back = kept(keep, &back);
        back.reverse();
        prop_assert_eq!(back, kept(keep, &all));
    }
}

#[test]
fn what_to_keep_is_written_and_read() {
    let keep: Keep = "last=3, daily=7".parse().unwrap();
    assert_eq!(keep, Keep { last: 3, daily: 7, ..Keep::default() });
    assert_eq!(keep.to_string().parse::<Keep>().unwrap(), keep);
    for bad in ["", "last", "last=", "last=-1", "last=10001", "yearly=1", "last=1,,daily=1"] {
        assert!(bad.parse::<Keep>().is_err(), "{bad}");
    }
}
