use serde_json::json;
use smartbox_core::job::event::{MAX_BYTES, MAX_EVENTS, MAX_LINE};
use smartbox_core::job::port::Filter;
use smartbox_core::job::{
    Asked, Event, Happening, Item, Job, JobFailure, JobState, Outcome, Progress,
};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Subject, T0, account, exists, job, missing, secret, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    every_field_comes_back,
    an_id_and_a_key_are_taken_once,
    open_ones_come_in_the_order_in_which_they_were_added,
    a_filter_narrows,
    pages_follow_one_another,
    events_are_numbered_and_found_after_one,
    progress_takes_the_place_of_progress,
    a_flood_of_lines_is_cut_and_says_so,
    items_are_replaced_by_their_place,
    what_is_sealed_lasts_until_the_job_is_over,
    a_job_goes_with_its_box_and_what_hangs_on_it_goes_with_it,
    what_is_missing_is_said,
);

const ALL: Filter = Filter {
    account: None,
    smartbox: None,
    states: vec![],
    kind: None,
    key: None,
    expired: None,
    before: None,
    limit: 1000,
};

async fn every_field_comes_back(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let first = job(&owner.id, "'; DROP TABLE jobs; -- ☂");
    let added = first.clone();
    write!(s.store, |tx| tx.jobs().add(added).await).unwrap();
    let failure = JobFailure { code: "c".into(), detail: "\u{0}".into(), hint: String::new() };
    let full = Job {
        smartbox: Some(pa.id),
        actor: "cli:uid=0".into(),
        key: Some("k".into()),
        input: json!({"a": [1, null, "\u{0}"]}),
        state: JobState::Running,
        asked: Some(Asked::Cancel),
        progress: Progress {
            done: 1 << 40,
            total: Some(1 << 41),
            unit: "bytes".into(),
            note: "n".into(),
        },
        checkpoint: json!({"at": 1u64 << 60}),
        result: Some(json!("r".repeat(100_000))),
        failure: Some(failure),
        attempts: u32::MAX,
        interruptions: 3,
        started: Some(T0),
        finished: Some(T0),
        expires: Some(Timestamp(i64::MAX)),
        ..first.clone()
    };
    let asked_to_pause = Job { asked: Some(Asked::Pause), ..full.clone() };
    let mut rows = vec![first, full.clone(), asked_to_pause];
    rows.extend(JobState::ALL.map(|state| Job { state, ..full.clone() }));
    for next in rows {
        let (id, put) = (next.id.clone(), next.clone());
        write!(s.store, |tx| tx.jobs().put(put).await).unwrap();
        assert_eq!(read!(s.store, |tx| tx.jobs().get(id).await).unwrap(), Some(next));
    }
}

async fn what_is_sealed_lasts_until_the_job_is_over(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let unsealed = async |job: &Job| {
        let id = job.id.clone();
        let found = read!(s.store, |tx| tx.jobs().unseal(id).await).unwrap();
        found.map(|value| value.expose().clone())
    };
    let text = "{\"token\":\"sk-☂\u{0}'; DROP TABLE job_sealed; --\"}".repeat(2_000);
    for end in [JobState::Succeeded, JobState::Failed, JobState::Cancelled] {
        let (of, other) = (job(&owner.id, "sealed"), job(&owner.id, "other"));
        let (added, more, id, value) = (of.clone(), other.clone(), of.id.clone(), text.clone());
        write!(s.store, |tx| {
            tx.jobs().add(added).await?;
            tx.jobs().add(more).await?;
            tx.jobs().seal(id, secret(&value)).await
        })
        .unwrap();
        assert_eq!(unsealed(&of).await.as_ref(), Some(&text));
        assert_eq!(unsealed(&other).await, None);
        let id = of.id.clone();
        let twice = write!(s.store, |tx| tx.jobs().seal(id, secret("x")).await).unwrap_err();
        assert!(matches!(twice, StoreError::Exists { .. }), "{twice}");
        for state in [JobState::Running, JobState::Paused, JobState::Queued] {
            let put = Job { state, ..of.clone() };
            write!(s.store, |tx| tx.jobs().put(put).await).unwrap();
            assert_eq!(unsealed(&of).await.as_ref(), Some(&text), "{state}");
        }
        let put = Job { state: end, ..of.clone() };
        write!(s.store, |tx| tx.jobs().put(put).await).unwrap();
        assert_eq!(unsealed(&of).await, None, "{end}");
    }
    let gone = job(&owner.id, "gone").id;
    let error = write!(s.store, |tx| tx.jobs().seal(gone, secret("x")).await).unwrap_err();
    assert!(missing(&error, "job"), "{error}");
}

async fn an_id_and_a_key_are_taken_once(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let other = account("other");
    let keyed = |of: &_, key: &str| Job { key: Some(key.into()), ..job(of, "k") };
    let (first, second) = (keyed(&owner.id, "one"), keyed(&owner.id, "two"));
    let elsewhere = keyed(&other.id, "one");
    let (again, same) = (first.clone(), keyed(&owner.id, "one"));
    let put = Job { key: Some("one".into()), ..second.clone() };
    let (a, b) = (first.clone(), second);
    write!(s.store, |tx| {
        tx.accounts().add(other).await?;
        tx.jobs().add(a).await?;
        tx.jobs().add(b).await?;
        tx.jobs().add(elsewhere).await
    })
    .unwrap();
    for refused in [again, same] {
        let error = write!(s.store, |tx| tx.jobs().add(refused).await).unwrap_err();
        assert!(exists(&error, "job"), "{error}");
    }
    let error = write!(s.store, |tx| tx.jobs().put(put).await).unwrap_err();
    assert!(exists(&error, "job"), "{error}");
    let filter = Filter { account: Some(owner.id), key: Some("one".into()), ..ALL };
    assert_eq!(read!(s.store, |tx| tx.jobs().list(filter).await).unwrap(), [first]);
}

async fn add_all(s: &Subject, rows: &[Job]) {
    let rows = rows.to_vec();
    write!(s.store, |tx| {
        for row in rows {
            tx.jobs().add(row).await?;
        }
        Ok(())
    })
    .unwrap();
}

fn kinds(rows: Vec<Job>) -> Vec<String> {
    rows.into_iter().map(|job| job.kind).collect()
}

async fn open_ones_come_in_the_order_in_which_they_were_added(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let mut rows = Vec::new();
    for (n, state) in JobState::ALL.into_iter().chain([JobState::Queued]).enumerate() {
        // The clock went backwards.
        let created = Timestamp(T0.0 - i64::try_from(n).unwrap());
        rows.push(Job { state, created, ..job(&owner.id, &n.to_string()) });
    }
    add_all(&s, &rows).await;
    let first = rows[0].clone();
    write!(s.store, |tx| tx.jobs().put(first).await).unwrap();
    let open = read!(s.store, |tx| tx.jobs().open().await).unwrap();
    assert_eq!(kinds(open), ["0", "1", "2", "6"]);
}

async fn a_filter_narrows(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = account("other");
    let added = other.clone();
    write!(s.store, |tx| tx.accounts().add(added).await).unwrap();
    let row = |n: i64, of: &_, kind: &str| Job { created: Timestamp(n), ..job(of, kind) };
    let rows = [
        row(1, &owner.id, "plain"),
        Job { smartbox: Some(pa.id.clone()), ..row(2, &owner.id, "of-box") },
        Job { state: JobState::Failed, expires: Some(T0), ..row(3, &owner.id, "failed") },
        Job { state: JobState::Running, ..row(4, &owner.id, "running") },
        row(5, &other.id, "other"),
    ];
    add_all(&s, &rows).await;
    let just_before = Timestamp(T0.0 - 1);
    for (filter, expected) in [
        (ALL, &["other", "running", "failed", "of-box", "plain"][..]),
        (Filter { account: Some(other.id), ..ALL }, &["other"]),
        (Filter { account: Some(owner.id.clone()), limit: 2, ..ALL }, &["running", "failed"]),
        (Filter { smartbox: Some(pa.id), account: Some(owner.id), ..ALL }, &["of-box"]),
        (
            Filter { states: vec![JobState::Failed, JobState::Running], ..ALL },
            &["running", "failed"],
        ),
        (Filter { kind: Some("plain".into()), ..ALL }, &["plain"]),
        (Filter { key: Some("none".into()), ..ALL }, &[]),
        (Filter { expired: Some(T0), ..ALL }, &["failed"]),
        (Filter { expired: Some(just_before), ..ALL }, &[]),
        (Filter { limit: 0, ..ALL }, &[]),
    ] {
        let asked = filter.clone();
        let found = read!(s.store, |tx| tx.jobs().list(asked).await).unwrap();
        assert_eq!(kinds(found), expected, "{filter:?}");
    }
}

async fn pages_follow_one_another(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    // Several at one moment: the order is one all the same.
    let rows: Vec<_> = (0..25)
        .map(|n| Job { created: Timestamp(n / 10), ..job(&owner.id, &n.to_string()) })
        .collect();
    add_all(&s, &rows).await;
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let filter = Filter { before: before.clone(), limit: 10, ..ALL };
        let page = read!(s.store, |tx| tx.jobs().list(filter).await).unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.created, last.id.clone()));
        // One that goes meanwhile does not move the others.
        let gone = last.id.clone();
        write!(s.store, |tx| tx.jobs().remove(gone).await).unwrap();
        seen.extend(page);
    }
    let mut expected = rows;
    expected.sort_by_key(|job| std::cmp::Reverse((job.created, job.id.clone())));
    assert_eq!(seen, expected);
}

async fn append(s: &Subject, job: &Job, what: Happening) {
    let id = job.id.clone();
    write!(s.store, |tx| tx.jobs().append(id, T0, what).await).unwrap();
}

async fn events(s: &Subject, job: &Job, after: u64, limit: u32) -> Vec<Event> {
    let id = job.id.clone();
    read!(s.store, |tx| tx.jobs().events(id, after, limit).await).unwrap()
}

async fn events_are_numbered_and_found_after_one(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (row, other) = (job(&owner.id, "k"), job(&owner.id, "other"));
    add_all(&s, &[row.clone(), other.clone()]).await;
    let what = [
        Happening::State { state: JobState::Running },
        Happening::line("☂ \u{0} \n"),
        Happening::Progress(Progress { done: 1, total: None, ..Progress::default() }),
        Happening::State { state: JobState::Succeeded },
    ];
    for what in what.clone() {
        append(&s, &row, what).await;
    }
    append(&s, &other, Happening::line("other")).await;
    let expected: Vec<_> = (1..).zip(what).map(|(seq, what)| Event { seq, at: T0, what }).collect();
    assert_eq!(events(&s, &row, 0, 100).await, expected);
    assert_eq!(events(&s, &row, 1, 2).await, expected[1..3]);
    assert_eq!(events(&s, &row, 4, 100).await, []);
    assert_eq!(events(&s, &row, u64::MAX, 100).await, []);
    // What the row says besides its events is not touched by them.
    let id = row.id.clone();
    assert_eq!(read!(s.store, |tx| tx.jobs().get(id).await).unwrap(), Some(row.clone()));
    write!(s.store, |tx| tx.jobs().put(row).await).unwrap();
    append(&s, &other, Happening::line("more")).await;
    assert_eq!(events(&s, &other, 0, 100).await.last().unwrap().seq, 2);
}

async fn progress_takes_the_place_of_progress(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let row = job(&owner.id, "k");
    add_all(&s, std::slice::from_ref(&row)).await;
    let progress = |done| Happening::Progress(Progress { done, ..Progress::default() });
    let id = row.id.clone();
    write!(s.store, |tx| {
        for done in 0..3 * MAX_EVENTS {
            tx.jobs().append(id.clone(), T0, progress(done)).await?;
        }
        Ok(())
    })
    .unwrap();
    append(&s, &row, Happening::line("between")).await;
    append(&s, &row, progress(1)).await;
    let what: Vec<_> = events(&s, &row, 0, 100).await.into_iter().map(|e| e.what).collect();
    let last = progress(3 * MAX_EVENTS - 1);
    assert_eq!(what, [last, Happening::line("between"), progress(1)]);
    let seq = events(&s, &row, 0, 100).await[0].seq;
    assert_eq!(seq, 3 * MAX_EVENTS, "a number is never used again");
}

async fn a_flood_of_lines_is_cut_and_says_so(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    for (line, most) in [("x".to_owned(), MAX_EVENTS), ("x".repeat(MAX_LINE), 64)] {
        let row = job(&owner.id, "k");
        let id = row.id.clone();
        add_all(&s, std::slice::from_ref(&row)).await;
        write!(s.store, |tx| {
            for _ in 0..MAX_EVENTS + 50 {
                tx.jobs().append(id.clone(), T0, Happening::line(line.clone())).await?;
            }
            Ok(())
        })
        .unwrap();
        append(&s, &row, Happening::Progress(Progress::default())).await;
        append(&s, &row, Happening::State { state: JobState::Failed }).await;
        let kept = events(&s, &row, 0, 10_000).await;
        assert!(kept.len() as u64 <= most + 3, "{}", kept.len());
        let bytes: usize = kept.iter().map(|e| serde_json::to_string(&e.what).unwrap().len()).sum();
        assert!(bytes as u64 <= MAX_BYTES + 500, "{bytes}");
        let end: Vec<_> = kept[kept.len() - 3..].iter().map(|e| e.what.word()).collect();
        assert_eq!(end, ["truncated", "progress", "state"]);
    }
}

async fn items_are_replaced_by_their_place(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let row = job(&owner.id, "k");
    add_all(&s, std::slice::from_ref(&row)).await;
    let item = |n, outcome| Item {
        n,
        subject: "box_00000000000000000001".into(),
        name: "☂".into(),
        outcome,
        reason: "r".into(),
        checkpoint: json!({"restart": n}),
        at: T0,
    };
    let all: Vec<_> = (0..).zip(Outcome::ALL).map(|(n, outcome)| item(n, outcome)).collect();
    let mut backwards = all.clone();
    backwards.reverse();
    let again = Item { outcome: Outcome::Ok, checkpoint: json!(null), ..item(2, Outcome::Ok) };
    let put = again.clone();
    let id = row.id.clone();
    write!(s.store, |tx| {
        tx.jobs().put_items(id.clone(), backwards).await?;
        tx.jobs().put_items(id, vec![put]).await
    })
    .unwrap();
    let mut expected = all;
    expected[2] = again;
    let id = row.id.clone();
    assert_eq!(read!(s.store, |tx| tx.jobs().items(id).await).unwrap(), expected);
}

async fn a_job_goes_with_its_box_and_what_hangs_on_it_goes_with_it(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let of_box = Job { smartbox: Some(pa.id.clone()), ..job(&owner.id, "of-box") };
    let (gone, stays) = (job(&owner.id, "gone"), job(&owner.id, "stays"));
    add_all(&s, &[of_box.clone(), gone.clone(), stays.clone()]).await;
    for row in [&of_box, &gone, &stays] {
        append(&s, row, Happening::line("x")).await;
    }
    let id = gone.id.clone();
    write!(s.store, |tx| {
        tx.boxes().remove(pa.id).await?;
        tx.jobs().remove(id.clone()).await?;
        tx.jobs().remove(id).await
    })
    .unwrap();
    assert_eq!(kinds(read!(s.store, |tx| tx.jobs().list(ALL).await).unwrap()), ["stays"]);
    assert_eq!(events(&s, &of_box, 0, 9).await, []);
    assert_eq!(events(&s, &stays, 0, 9).await.len(), 1);
}

async fn what_is_missing_is_said(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let never = job(&owner.id, "never");
    let no_box = Job { smartbox: Some(smartbox(&owner.id, "x", 9).id), ..never.clone() };
    let error = write!(s.store, |tx| tx.jobs().add(no_box).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
    let (id, put) = (never.id.clone(), never);
    let error = write!(s.store, |tx| tx.jobs().put(put).await).unwrap_err();
    assert!(missing(&error, "job"), "{error}");
    let asked = id.clone();
    let error = write!(s.store, |tx| tx.jobs().append(asked, T0, Happening::Truncated).await);
    assert!(missing(&error.unwrap_err(), "job"));
    let asked = id.clone();
    let got = read!(s.store, |tx| {
        let jobs = tx.jobs();
        Ok((jobs.get(asked.clone()).await?, jobs.items(asked).await?))
    });
    assert_eq!(got.unwrap(), (None, vec![]));
    let error: Result<(), StoreError> =
        read!(s.store, |tx| tx.jobs().append(id, T0, Happening::Truncated).await);
    error.unwrap_err();
}
