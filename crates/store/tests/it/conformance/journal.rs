use smartbox_core::id::SmartboxId;
use smartbox_core::journal::{Entry, MOST};
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Subject, T0, with_box};
use crate::{read, write};

over_every_driver!(
    entries_come_back_in_order_from_a_place_or_a_time,
    a_journal_is_bounded_and_keeps_the_newest,
    a_box_that_is_gone_has_no_journal,
);

fn entry(id: &SmartboxId, ms: i64, detail: &str) -> Entry {
    let at = Timestamp(T0.0 + ms);
    Entry { smartbox: id.clone(), at, event: "state".into(), detail: detail.into() }
}

async fn entries_come_back_in_order_from_a_place_or_a_time(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let all: Vec<_> = (0..4).map(|n| entry(&pa.id, n, &format!("'{n}' → ☂"))).collect();
    let (first, rest) = (vec![all[0].clone(), all[1].clone()], all[2..].to_vec());
    write!(s.store, |tx| {
        tx.journal().note(first).await?;
        tx.journal().note(vec![]).await?;
        tx.journal().note(rest).await
    })
    .unwrap();
    let look = async |after: u64, since: Timestamp, limit: u32| {
        let id = pa.id.clone();
        read!(s.store, |tx| tx.journal().read(id, after, since, limit).await).unwrap()
    };
    let whole = look(0, Timestamp(0), 99).await;
    assert_eq!(whole.iter().map(|(_, e)| e.clone()).collect::<Vec<_>>(), all);
    assert_eq!(look(whole[1].0, Timestamp(0), 99).await, whole[2..]);
    assert_eq!(look(u64::MAX, Timestamp(0), 99).await, []);
    assert_eq!(look(0, Timestamp(T0.0 + 3), 99).await, whole[3..]);
    assert_eq!(look(0, Timestamp(0), 2).await, whole[2..], "the newest, oldest first");
}

async fn a_journal_is_bounded_and_keeps_the_newest(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let id = pa.id.clone();
    write!(s.store, |tx| {
        for n in 0..i64::from(MOST) + 5 {
            tx.journal().note(vec![entry(&id, n, "x")]).await?;
        }
        Ok(())
    })
    .unwrap();
    let all = read!(s.store, |tx| tx.journal().read(pa.id, 0, Timestamp(0), 9_999).await).unwrap();
    assert_eq!(all.len(), MOST as usize);
    assert_eq!(all[0].1.at, Timestamp(T0.0 + 5));
}

async fn a_box_that_is_gone_has_no_journal(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let (id, entries) = (pa.id.clone(), vec![entry(&pa.id, 0, "x")]);
    let again = entries.clone();
    write!(s.store, |tx| tx.journal().note(entries).await).unwrap();
    write!(s.store, |tx| tx.boxes().remove(id).await).unwrap();
    write!(s.store, |tx| tx.journal().note(again).await).unwrap();
    let left = read!(s.store, |tx| tx.journal().read(pa.id, 0, Timestamp(0), 9).await).unwrap();
    assert_eq!(left, []);
}
