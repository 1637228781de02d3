use smartbox_core::message::{Delivery, Message};

use super::over_every_driver;
use crate::support::{Subject, T0, exists, message, missing, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    every_field_comes_back,
    an_id_is_accepted_once,
    open_ones_are_listed_oldest_first,
    the_newest_are_listed_oldest_first,
    pages_are_newest_first,
    what_is_missing_is_said,
);

async fn every_field_comes_back(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let first = message(&pa.id, "'; DROP TABLE messages; -- \u{0} ☂");
    let added = first.clone();
    write!(s.store, |tx| tx.messages().add(added).await).unwrap();
    let done = Message {
        session: "side".into(),
        channel: "api".into(),
        state: Delivery::Failed,
        reply: Some("r".repeat(100_000)),
        error: Some("e".into()),
        attempts: u32::MAX,
        finished: Some(T0),
        ..first.clone()
    };
    let handed = Message { state: Delivery::Handed, ..first.clone() };
    let answered = Message { state: Delivery::Answered, ..done.clone() };
    for next in [first, handed, done, answered] {
        let (id, put) = (next.id.clone(), next.clone());
        write!(s.store, |tx| tx.messages().put(put).await).unwrap();
        assert_eq!(read!(s.store, |tx| tx.messages().get(id).await).unwrap(), Some(next));
    }
}

async fn an_id_is_accepted_once(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let first = message(&pa.id, "once");
    let again = Message { text: "twice".into(), ..first.clone() };
    let (id, added) = (first.id.clone(), first.clone());
    write!(s.store, |tx| tx.messages().add(added).await).unwrap();
    let error = write!(s.store, |tx| tx.messages().add(again).await).unwrap_err();
    assert!(exists(&error, "message"), "{error}");
    assert_eq!(read!(s.store, |tx| tx.messages().get(id).await).unwrap(), Some(first));
}

async fn open_ones_are_listed_oldest_first(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = smartbox(&owner.id, "other", 1);
    let mut rows = Vec::new();
    for (n, state) in
        [Delivery::Queued, Delivery::Answered, Delivery::Handed, Delivery::Failed, Delivery::Queued]
            .into_iter()
            .enumerate()
    {
        let to = if n == 4 { &other.id } else { &pa.id };
        rows.push(Message { state, ..message(to, &n.to_string()) });
    }
    let added = rows.clone();
    write!(s.store, |tx| {
        tx.boxes().add(other).await?;
        for row in added {
            tx.messages().add(row).await?;
        }
        Ok(())
    })
    .unwrap();
    // Being put does not change a message's place.
    let first = rows[0].clone();
    write!(s.store, |tx| tx.messages().put(first).await).unwrap();
    let texts = |rows: Vec<Message>| rows.into_iter().map(|m| m.text).collect::<Vec<_>>();
    let all = read!(s.store, |tx| tx.messages().open(None).await).unwrap();
    assert_eq!(texts(all), ["0", "2", "4"]);
    let of_one = read!(s.store, |tx| tx.messages().open(Some(pa.id)).await).unwrap();
    assert_eq!(texts(of_one), ["0", "2"]);
}

async fn the_newest_are_listed_oldest_first(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    for n in 0..5 {
        let row = message(&pa.id, &n.to_string());
        write!(s.store, |tx| tx.messages().add(row).await).unwrap();
    }
    for (limit, expected) in [(0, &[][..]), (2, &["3", "4"]), (9, &["0", "1", "2", "3", "4"])] {
        let id = pa.id.clone();
        let rows = read!(s.store, |tx| tx.messages().recent(id, limit).await).unwrap();
        assert_eq!(rows.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), expected);
    }
}

async fn pages_are_newest_first(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = smartbox(&owner.id, "other", 1);
    let row = other.clone();
    write!(s.store, |tx| tx.boxes().add(row).await).unwrap();
    let mut ids = Vec::new();
    for n in 0..5 {
        for to in [&pa.id, &other.id] {
            let row = message(to, &n.to_string());
            ids.push(row.id.clone());
            write!(s.store, |tx| tx.messages().add(row).await).unwrap();
        }
    }
    // Of `pa` are those with an even place.
    for (before, limit, expected) in [
        (None, 2, &["4", "3"][..]),
        (Some(6), 2, &["2", "1"]),
        (Some(2), 9, &["0"]),
        (Some(0), 9, &[]),
    ] {
        let (id, before) = (pa.id.clone(), before.map(|at: usize| ids[at].clone()));
        let rows = read!(s.store, |tx| tx.messages().page(id, before, limit).await).unwrap();
        assert_eq!(rows.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), expected);
    }
    let (id, theirs) = (pa.id.clone(), Some(ids[1].clone()));
    let error = read!(s.store, |tx| tx.messages().page(id, theirs, 9).await).unwrap_err();
    assert!(missing(&error, "message"), "{error}");
}

async fn what_is_missing_is_said(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let to_nobody = message(&smartbox(&owner.id, "gone", 9).id, "hello?");
    let error = write!(s.store, |tx| tx.messages().add(to_nobody).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
    let never = message(&pa.id, "never added");
    let id = never.id.clone();
    let error = write!(s.store, |tx| tx.messages().put(never).await).unwrap_err();
    assert!(missing(&error, "message"), "{error}");
    assert_eq!(read!(s.store, |tx| tx.messages().get(id).await).unwrap(), None);
}
