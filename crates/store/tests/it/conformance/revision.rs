use smartbox_core::config::Revision;
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Secret;

use super::over_every_driver;
use crate::support::{Subject, T0, missing, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    every_field_comes_back_with_its_document,
    numbers_go_on_when_old_ones_are_forgotten,
    pages_are_newest_first,
    a_refusal_is_noted,
    boxes_do_not_see_each_other,
    the_end_of_a_box_is_the_end_of_its_revisions,
);

fn revision(smartbox: &SmartboxId, how: &str) -> Revision {
    Revision {
        smartbox: smartbox.clone(),
        seq: 0,
        at: T0,
        actor: "cli:uid=0".into(),
        how: how.into(),
        digest: "d".repeat(64),
        refused: None,
    }
}

async fn add(s: &Subject, smartbox: &SmartboxId, text: &str, keep: u32) -> u64 {
    let (row, document) = (revision(smartbox, text), Secret::new(text.to_owned()));
    write!(s.store, |tx| tx.revisions().add(row, document, keep).await).unwrap()
}

async fn seqs(s: &Subject, smartbox: &SmartboxId, before: Option<u64>, limit: u32) -> Vec<u64> {
    let id = smartbox.clone();
    let rows = read!(s.store, |tx| tx.revisions().list(id, before, limit).await).unwrap();
    rows.into_iter().map(|row| row.seq).collect()
}

async fn every_field_comes_back_with_its_document(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let text = "{\"token\":\"sk-☂\u{0}'; DROP TABLE config_revisions; --\"}".repeat(2_000);
    let row = Revision { refused: Some("why".into()), ..revision(&pa.id, "patched") };
    let (added, document) = (row.clone(), Secret::new(text.clone()));
    let seq = write!(s.store, |tx| tx.revisions().add(added, document, 5).await).unwrap();
    let id = pa.id.clone();
    let (found, document) =
        read!(s.store, |tx| tx.revisions().open(id, seq).await).unwrap().unwrap();
    assert_eq!((seq, found), (1, Revision { seq: 1, ..row }));
    assert_eq!(*document.expose(), text);
    for absent in [0, 2, u64::MAX] {
        let id = pa.id.clone();
        assert!(read!(s.store, |tx| tx.revisions().open(id, absent).await).unwrap().is_none());
    }
}

async fn numbers_go_on_when_old_ones_are_forgotten(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    for n in 1..=7 {
        assert_eq!(add(&s, &pa.id, &n.to_string(), 3).await, n);
    }
    assert_eq!(seqs(&s, &pa.id, None, 100).await, [7, 6, 5]);
    assert_eq!(add(&s, &pa.id, "alone", 0).await, 8, "the newest is always kept");
    assert_eq!(seqs(&s, &pa.id, None, 100).await, [8]);
}

async fn pages_are_newest_first(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    for n in 1..=5 {
        add(&s, &pa.id, &n.to_string(), 10).await;
    }
    assert_eq!(seqs(&s, &pa.id, None, 2).await, [5, 4]);
    assert_eq!(seqs(&s, &pa.id, Some(4), 2).await, [3, 2]);
    assert!(seqs(&s, &pa.id, Some(1), 2).await.is_empty());
}

async fn a_refusal_is_noted(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let seq = add(&s, &pa.id, "x", 10).await;
    let id = pa.id.clone();
    write!(s.store, |tx| tx.revisions().refuse(id, seq, "gateway.port".into()).await).unwrap();
    let id = pa.id.clone();
    let rows = read!(s.store, |tx| tx.revisions().list(id, None, 1).await).unwrap();
    assert_eq!(rows[0].refused.as_deref(), Some("gateway.port"));
    let error =
        write!(s.store, |tx| tx.revisions().refuse(pa.id, 9, "no".into()).await).unwrap_err();
    assert!(missing(&error, "revision"), "{error}");
}

async fn boxes_do_not_see_each_other(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = smartbox(&owner.id, "other", 1);
    let row = other.clone();
    write!(s.store, |tx| tx.boxes().add(row).await).unwrap();
    add(&s, &pa.id, "mine", 1).await;
    add(&s, &pa.id, "mine", 1).await;
    assert_eq!(add(&s, &other.id, "theirs", 1).await, 1);
    assert_eq!(seqs(&s, &pa.id, None, 9).await, [2]);
    assert_eq!(seqs(&s, &other.id, None, 9).await, [1]);
}

async fn the_end_of_a_box_is_the_end_of_its_revisions(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    add(&s, &pa.id, "x", 10).await;
    let id = pa.id.clone();
    write!(s.store, |tx| tx.boxes().remove(id).await).unwrap();
    assert!(seqs(&s, &pa.id, None, 9).await.is_empty());
    let gone = smartbox(&owner.id, "gone", 9).id;
    let (row, document) = (revision(&gone, "x"), Secret::new(String::new()));
    let error = write!(s.store, |tx| tx.revisions().add(row, document, 1).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
}
