use smartbox_core::smartbox::Smartbox;
use smartbox_core::time::Timestamp;
use smartbox_core::usage::{Total, Usage};

use super::over_every_driver;
use crate::support::{Subject, T0, account, missing, smartbox, usage, with_box};
use crate::{read, write};

over_every_driver!(
    calls_are_added_up_since_a_time,
    calls_of_all_boxes_or_of_an_account_s_are_added_up,
    absurd_reports_stay_addable,
    a_call_of_a_removed_box_is_refused,
);

async fn calls_are_added_up_since_a_time(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = smartbox(&owner.id, "other", 1);
    let ids = (pa.id.clone(), other.id.clone());
    write!(s.store, |tx| {
        tx.boxes().add(other).await?;
        for at in [T0, Timestamp(T0.0 + 1), Timestamp(T0.0 + 2)] {
            tx.usage().record(usage(&ids.0, at)).await?;
        }
        tx.usage().record(usage(&ids.1, T0)).await
    })
    .unwrap();
    for (since, calls) in [(T0, 3), (Timestamp(T0.0 + 1), 2), (Timestamp(T0.0 + 3), 0)] {
        let id = pa.id.clone();
        let total = read!(s.store, |tx| tx.usage().total(id, since).await).unwrap();
        assert_eq!(total, Total { calls, input: calls * 107, output: calls * 10 });
    }
}

async fn calls_of_all_boxes_or_of_an_account_s_are_added_up(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let (ann, hers) = (account("ann"), smartbox(&account("ann").id, "hers", 1));
    let hers = Smartbox { account: ann.id.clone(), ..hers };
    let (ids, of) = ((pa.id, hers.id.clone()), (owner.id, ann.id.clone()));
    write!(s.store, |tx| {
        tx.accounts().add(ann).await?;
        tx.boxes().add(hers).await?;
        for id in [&ids.0, &ids.0, &ids.1] {
            tx.usage().record(usage(id, T0)).await?;
        }
        tx.usage().record(usage(&ids.1, Timestamp(T0.0 - 1))).await
    })
    .unwrap();
    for (account, calls) in [(None, 3), (Some(of.0), 2), (Some(of.1), 1)] {
        let total = read!(s.store, |tx| tx.usage().sum(account, T0).await).unwrap();
        assert_eq!(total, Total { calls, input: calls * 107, output: calls * 10 });
    }
}

async fn absurd_reports_stay_addable(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    for _ in 0..20 {
        let lie = Usage { output: u64::MAX, input: u64::MAX, ..usage(&pa.id, T0) };
        write!(s.store, |tx| tx.usage().record(lie).await).unwrap();
    }
    let total = read!(s.store, |tx| tx.usage().total(pa.id, T0).await).unwrap();
    assert_eq!((total.calls, total.output), (20, 20 << 40));
}

async fn a_call_of_a_removed_box_is_refused(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let late = usage(&pa.id, T0);
    write!(s.store, |tx| tx.boxes().remove(pa.id).await).unwrap();
    let error = write!(s.store, |tx| tx.usage().record(late).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
}
