use smartbox_core::issue::{Filter, Issue, Kind, Severity, key};
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Subject, T0, account, issue, missing, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    what_happens_again_is_counted_and_what_is_over_begins_anew,
    every_field_of_an_issue_comes_back,
    a_list_is_filtered_and_goes_on_where_it_ended,
    an_account_sees_neither_another_s_nor_the_machine_s,
    old_and_surplus_ones_are_swept_and_open_ones_are_not,
    an_issue_of_a_removed_box_goes_with_it,
);

fn later(ms: i64) -> Timestamp {
    Timestamp(T0.0 + ms)
}

async fn what_happens_again_is_counted_and_what_is_over_begins_anew(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let first = issue(&pa, Kind::BoxFailed, T0);
    let again = Issue {
        count: 4,
        message: "newer".into(),
        last: later(9),
        ..issue(&pa, Kind::BoxFailed, later(9))
    };
    let (one, two, name) = (first.clone(), again.clone(), first.key.clone());
    write!(s.store, |tx| {
        tx.issues().raise(one).await?;
        tx.issues().raise(two).await
    })
    .unwrap();
    let found = read!(s.store, |tx| tx.issues().list(Filter::default(), None, 9).await).unwrap();
    let want = Issue { count: 5, message: "newer".into(), last: later(9), ..first.clone() };
    assert_eq!(found, [want]);
    let (a, b) = write!(s.store, |tx| {
        let a = tx.issues().settle(name.clone(), later(10)).await?;
        Ok((a, tx.issues().settle(name, later(11)).await?))
    })
    .unwrap();
    assert!(a && !b, "what is resolved is not resolved again");
    write!(s.store, |tx| tx.issues().raise(again).await).unwrap();
    let found = read!(s.store, |tx| tx.issues().list(Filter::default(), None, 9).await).unwrap();
    let ends: Vec<_> = found.iter().map(|i| (i.count, i.resolved)).collect();
    assert_eq!(ends, [(4, None), (5, Some(later(10)))], "the newest first");
}

async fn every_field_of_an_issue_comes_back(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let of_box = Issue {
        message: "it's \"bad\"; DROP TABLE issues--☂".into(),
        resolved: Some(later(3)),
        ..issue(&pa, Kind::MemoryLimit, T0)
    };
    let of_machine =
        Issue { account: None, smartbox: None, ..issue(&pa, Kind::DiskLow, Timestamp(-7)) };
    for issue in [of_box, of_machine] {
        let (new, id) = (issue.clone(), issue.id.clone());
        write!(s.store, |tx| tx.issues().raise(new).await).unwrap();
        assert_eq!(read!(s.store, |tx| tx.issues().get(id).await).unwrap(), Some(issue));
    }
}

async fn a_list_is_filtered_and_goes_on_where_it_ended(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = smartbox(&owner.id, "other", 1);
    let (row, mut all) = (other.clone(), Vec::new());
    for of in [&pa, &other] {
        for kind in [Kind::BoxFailed, Kind::BreakerOpen, Kind::MemoryLimit] {
            all.push(issue(of, kind, T0));
        }
    }
    let raised = all.clone();
    write!(s.store, |tx| {
        tx.boxes().add(row).await?;
        for issue in raised {
            tx.issues().raise(issue).await?;
        }
        tx.issues().settle(key(Kind::BoxFailed, pa.id.as_str()), later(1)).await.map(drop)
    })
    .unwrap();
    all.reverse();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let from = after.clone();
        let page = read!(s.store, |tx| tx.issues().list(Filter::default(), from, 4).await).unwrap();
        after = page.last().map(|issue| issue.id.clone());
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|issue| issue.id));
    }
    assert_eq!(seen, all.iter().map(|issue| issue.id.clone()).collect::<Vec<_>>());
    let count = async |filter: Filter| {
        read!(s.store, |tx| tx.issues().list(filter, None, 99).await).unwrap().len()
    };
    let of_other = Some(other.id.clone());
    assert_eq!(count(Filter { smartbox: of_other, ..Filter::default() }).await, 3);
    assert_eq!(count(Filter { open: Some(true), ..Filter::default() }).await, 5);
    assert_eq!(count(Filter { open: Some(false), ..Filter::default() }).await, 1);
    let grave = Some(Severity::Critical);
    assert_eq!(count(Filter { severity: grave, ..Filter::default() }).await, 2);
    let tally = read!(s.store, |tx| tx.issues().tally(Filter::default()).await).unwrap();
    assert_eq!(tally.iter().map(|t| t.open).sum::<u64>(), 5, "{tally:?}");
    let of = tally.iter().find(|t| t.smartbox.as_ref() == Some(&other.id));
    assert_eq!(of.map(|t| t.open), Some(1), "by box and severity");
}

async fn an_account_sees_neither_another_s_nor_the_machine_s(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let ann = account("ann");
    let mine = issue(&pa, Kind::BoxFailed, T0);
    let machine = Issue { account: None, smartbox: None, ..issue(&pa, Kind::DiskLow, T0) };
    let hers = Issue {
        account: Some(ann.id.clone()),
        smartbox: None,
        ..issue(&pa, Kind::ProviderKey, T0)
    };
    let id = mine.id.clone();
    write!(s.store, |tx| {
        tx.accounts().add(ann).await?;
        for issue in [mine, machine, hers] {
            tx.issues().raise(issue).await?;
        }
        Ok(())
    })
    .unwrap();
    let filter = Filter { account: Some(owner.id), ..Filter::default() };
    let tallied = filter.clone();
    let found = read!(s.store, |tx| tx.issues().list(filter, None, 9).await).unwrap();
    assert_eq!(found.into_iter().map(|i| i.id).collect::<Vec<_>>(), [id]);
    let tally = read!(s.store, |tx| tx.issues().tally(tallied).await).unwrap();
    assert_eq!(tally.len(), 1);
}

async fn old_and_surplus_ones_are_swept_and_open_ones_are_not(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let open = issue(&pa, Kind::BoxFailed, Timestamp(0));
    let mut want = vec![open.id.clone()];
    write!(s.store, |tx| tx.issues().raise(open).await).unwrap();
    for n in 0..6 {
        let done = Issue { resolved: Some(later(n)), ..issue(&pa, Kind::MemoryLimit, T0) };
        if n >= 4 {
            want.push(done.id.clone());
        }
        write!(s.store, |tx| tx.issues().raise(done).await).unwrap();
    }
    let swept = write!(s.store, |tx| tx.issues().sweep(later(2), 2).await).unwrap();
    assert_eq!(swept, 4, "two are old, two are more than are kept");
    let mut left: Vec<_> = read!(s.store, |tx| tx.issues().list(Filter::default(), None, 9).await)
        .unwrap()
        .into_iter()
        .map(|issue| issue.id)
        .collect();
    left.reverse();
    assert_eq!(left, want);
}

async fn an_issue_of_a_removed_box_goes_with_it(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let (before, after) = (issue(&pa, Kind::BoxFailed, T0), issue(&pa, Kind::HomeFull, T0));
    write!(s.store, |tx| tx.issues().raise(before).await).unwrap();
    write!(s.store, |tx| tx.boxes().remove(pa.id).await).unwrap();
    let found = read!(s.store, |tx| tx.issues().list(Filter::default(), None, 9).await).unwrap();
    assert_eq!(found, []);
    let error = write!(s.store, |tx| tx.issues().raise(after).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
}
