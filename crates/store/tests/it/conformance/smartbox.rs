use std::time::Duration;

use smartbox_core::labels::Labels;
use smartbox_core::secret::Scope;
use smartbox_core::smartbox::breaker::{Breaker, Strike};
use smartbox_core::smartbox::vitals::Ending;
use smartbox_core::smartbox::{
    Base, Desired, Failure, Kind, Reason, Rest, SleepChoice, Smartbox, State, Vitals,
};
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{
    Subject, T0, account, exists, message, missing, secret, session, smartbox, token, usage,
    with_box,
};
use crate::{read, write};

over_every_driver!(
    every_field_comes_back,
    every_word_comes_back,
    boxes_are_found_and_listed,
    names_labels_slots_and_ids_are_unique,
    what_is_missing_is_said,
    removal_takes_all_that_hangs_on_the_box,
    the_lowest_free_slot_is_found,
    an_account_has_one_pa,
);

fn full(row: &Smartbox) -> Smartbox {
    Smartbox {
        display: "The \"big\" one ☂".into(),
        labels: Labels::default().changed([("team".into(), Some("support".into()))]).unwrap(),
        kind: Kind::parse("customer-service").unwrap(),
        base: Base::Runtime,
        tier: "large".into(),
        running_tier: Some("small".into()),
        engine: "openclaw".into(),
        desired: Desired::On,
        sleep: SleepChoice {
            freeze_after: Some(Duration::from_millis(1)),
            stop_after: Some(Duration::from_hours(1000)),
        },
        rest: Some(Rest::Frozen),
        state: State::Failed,
        failure: Some(Failure {
            reason: Reason::EngineTooOld,
            message: "It's \"too\" old; 'DROP TABLE smartboxes'--".into(),
            hint: "größer ☂\n".into(),
            at: Timestamp(-7),
        }),
        epoch: i64::MAX as u64,
        restart: 3,
        restarted: 2,
        slot: u32::MAX,
        alarm: Some(Timestamp(5)),
        suspension: Some("lease-1".into()),
        last_active: Timestamp(8),
        failures: u32::MAX,
        retry_at: Some(Timestamp(i64::MAX)),
        vitals: Vitals {
            since: Some(Timestamp(1)),
            started: Some(Timestamp(2)),
            start_ms: Some(u64::MAX),
            ready: Some(Timestamp(3)),
            engine: Some("openclaw 2026.9.6".into()),
            exit: Some(Ending {
                at: Timestamp(4),
                reason: Reason::OutOfMemory,
                code: None,
                signal: Some(9),
            }),
            breaker: Breaker {
                strikes: vec![Strike { at: Timestamp(4), reason: Reason::Quota }],
                open: Some(Failure {
                    reason: Reason::Quota,
                    message: "it's \"full\"".into(),
                    hint: "☂".into(),
                    at: Timestamp(5),
                }),
            },
        },
        removing: true,
        furnished: true,
        revision: 7,
        created: Timestamp(9),
        ..row.clone()
    }
}

async fn every_field_comes_back(s: Subject) {
    let (_, row) = with_box(&*s.store, "pa").await;
    let id = row.id.clone();
    let found = read!(s.store, |tx| tx.boxes().get(id).await).unwrap();
    assert_eq!(found, Some(row.clone()));
    let changed = full(&row);
    for next in [changed, row] {
        let (id, put) = (next.id.clone(), next.clone());
        write!(s.store, |tx| tx.boxes().put(put).await).unwrap();
        assert_eq!(read!(s.store, |tx| tx.boxes().get(id).await).unwrap(), Some(next));
    }
}

async fn every_word_comes_back(s: Subject) {
    let (_, row) = with_box(&*s.store, "pa").await;
    let mut rows = Vec::new();
    for state in [State::Stopped, State::Starting, State::Running, State::Frozen, State::Failed] {
        rows.push(Smartbox { state, ..row.clone() });
    }
    for kind in [Kind::PA, Kind::PROJECT, Kind::RUNTIME, Kind::CUSTOM] {
        rows.push(Smartbox { kind, ..row.clone() });
    }
    for base in [Base::Pa, Base::Project, Base::Runtime, Base::Custom] {
        rows.push(Smartbox { base, ..row.clone() });
    }
    for desired in [Desired::On, Desired::Auto, Desired::Off] {
        rows.push(Smartbox { desired, ..row.clone() });
    }
    for rest in [None, Some(Rest::Frozen), Some(Rest::Stopped)] {
        rows.push(Smartbox { rest, ..row.clone() });
    }
    for reason in [
        Reason::BadConfig,
        Reason::OutOfMemory,
        Reason::Disk,
        Reason::Crash,
        Reason::Timeout,
        Reason::EngineTooOld,
        Reason::Runtime,
    ] {
        let failure = Failure { reason, message: "m".into(), hint: "h".into(), at: T0 };
        rows.push(Smartbox { failure: Some(failure), ..row.clone() });
    }
    for next in rows {
        let (id, put) = (next.id.clone(), next.clone());
        write!(s.store, |tx| tx.boxes().put(put).await).unwrap();
        assert_eq!(read!(s.store, |tx| tx.boxes().get(id).await).unwrap(), Some(next));
    }
}

async fn boxes_are_found_and_listed(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = account("other");
    let (second, third) = (smartbox(&owner.id, "a", 1), smartbox(&other.id, "m", 2));
    let (b, c) = (second.clone(), third.clone());
    write!(s.store, |tx| {
        tx.accounts().add(other).await?;
        tx.boxes().add(b).await?;
        tx.boxes().add(c).await
    })
    .unwrap();
    let id = owner.id.clone();
    let named = read!(s.store, |tx| tx.boxes().named(id, "a".into()).await).unwrap();
    assert_eq!(named, Some(second.clone()));
    let id = owner.id.clone();
    assert_eq!(read!(s.store, |tx| tx.boxes().named(id, "m".into()).await).unwrap(), None);
    let labelled = read!(s.store, |tx| tx.boxes().labelled("m".into()).await).unwrap();
    assert_eq!(labelled, Some(third.clone()));
    let all = read!(s.store, |tx| tx.boxes().list(None).await).unwrap();
    assert_eq!(all, [second.clone(), third, pa.clone()]);
    let of_one = read!(s.store, |tx| tx.boxes().list(Some(owner.id)).await).unwrap();
    assert_eq!(of_one, [second, pa]);
}

async fn names_labels_slots_and_ids_are_unique(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let base = Smartbox { label: "l".into(), ..smartbox(&owner.id, "n", 1) };
    let cases = [
        (Smartbox { name: pa.name.clone(), ..base.clone() }, "smartbox"),
        (Smartbox { id: pa.id.clone(), ..base.clone() }, "smartbox"),
        (Smartbox { label: pa.label.clone(), ..base.clone() }, "host label"),
        (Smartbox { slot: pa.slot, ..base.clone() }, "slot"),
    ];
    for (row, what) in cases.clone() {
        let error = write!(s.store, |tx| tx.boxes().add(row).await).unwrap_err();
        assert!(exists(&error, what), "{what}: {error}");
    }
    let added = base.clone();
    write!(s.store, |tx| tx.boxes().add(added).await).unwrap();
    for (row, what) in cases.into_iter().filter(|(row, _)| row.id == base.id) {
        let error = write!(s.store, |tx| tx.boxes().put(row).await).unwrap_err();
        assert!(exists(&error, what), "{what}: {error}");
    }
    // The same name in another account is another box.
    let other = account("other");
    let row = Smartbox { label: "pa-other".into(), ..smartbox(&other.id, "pa", 2) };
    write!(s.store, |tx| {
        tx.accounts().add(other).await?;
        tx.boxes().add(row).await
    })
    .unwrap();
}

async fn what_is_missing_is_said(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let gone = smartbox(&owner.id, "gone", 1);
    let row = gone.clone();
    let error = write!(s.store, |tx| tx.boxes().put(row).await).unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
    let orphan = smartbox(&account("nobody").id, "orphan", 1);
    let error = write!(s.store, |tx| tx.boxes().add(orphan).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
    let id = gone.id.clone();
    assert_eq!(read!(s.store, |tx| tx.boxes().get(id).await).unwrap(), None);
    write!(s.store, |tx| tx.boxes().remove(gone.id).await).unwrap();
}

async fn removal_takes_all_that_hangs_on_the_box(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let keep = smartbox(&owner.id, "keep", 1);
    let kept = message(&keep.id, "stays");
    let (k, m, a) = (keep.clone(), kept.clone(), pa.clone());
    let owner_id = owner.id.clone();
    write!(s.store, |tx| {
        tx.boxes().add(k.clone()).await?;
        tx.messages().add(m).await?;
        for row in [&a, &k] {
            tx.messages().add(message(&row.id, "hello")).await?;
            tx.usage().record(usage(&row.id, T0)).await?;
            let scope = Scope::Smartbox(row.id.clone());
            tx.secrets().set(scope, "KEY".into(), secret("v")).await?;
            let (mut open, mut ticket) =
                (session(&owner_id, &row.name, T0.plus(TTL)), token(&owner_id, &row.name, None));
            (open.smartbox, ticket.smartbox) = (Some(row.id.clone()), Some(row.id.clone()));
            tx.sessions().add(open).await?;
            tx.tokens().add(ticket).await?;
        }
        Ok(())
    })
    .unwrap();
    for _ in 0..2 {
        let id = pa.id.clone();
        write!(s.store, |tx| tx.boxes().remove(id).await).unwrap();
    }
    for (row, left) in [(pa, 0), (keep, 1)] {
        let (id, name) = (row.id.clone(), row.name.clone());
        let counts = read!(s.store, |tx| {
            Ok([
                usize::from(tx.boxes().get(id.clone()).await?.is_some()),
                tx.messages().recent(id.clone(), 9).await?.len().min(1),
                tx.messages().open(Some(id.clone())).await?.len().min(1),
                usize::try_from(tx.usage().total(id.clone(), Timestamp(0)).await?.calls).unwrap(),
                tx.secrets().list(Scope::Smartbox(id)).await?.len(),
                usize::from(tx.sessions().find(name.clone().into(), T0).await?.is_some()),
                usize::from(tx.tokens().find(name, T0).await?.is_some()),
            ])
        })
        .unwrap();
        assert_eq!(counts, [left; 7], "{}", row.name);
    }
    let id = kept.id.clone();
    assert_eq!(read!(s.store, |tx| tx.messages().get(id).await).unwrap(), Some(kept));
}

const TTL: std::time::Duration = std::time::Duration::from_secs(60);

async fn the_lowest_free_slot_is_found(s: Subject) {
    assert_eq!(read!(s.store, |tx| tx.boxes().free_slot().await).unwrap(), 0);
    let (owner, pa) = with_box(&*s.store, "pa").await;
    for slot in [1, 2, 4] {
        let row = smartbox(&owner.id, &format!("b{slot}"), slot);
        write!(s.store, |tx| tx.boxes().add(row).await).unwrap();
    }
    assert_eq!(read!(s.store, |tx| tx.boxes().free_slot().await).unwrap(), 3);
    let row = smartbox(&owner.id, "b3", 3);
    write!(s.store, |tx| tx.boxes().add(row).await).unwrap();
    assert_eq!(read!(s.store, |tx| tx.boxes().free_slot().await).unwrap(), 5);
    write!(s.store, |tx| tx.boxes().remove(pa.id).await).unwrap();
    assert_eq!(read!(s.store, |tx| tx.boxes().free_slot().await).unwrap(), 0);
}

async fn an_account_has_one_pa(s: Subject) {
    let (ann, first) = with_box(&*s.store, "ann").await;
    let pa = Smartbox { base: Base::Pa, ..first };
    let second = smartbox(&ann.id, "second", 1);
    let (put, add) = (pa.clone(), second.clone());
    write!(s.store, |tx| {
        tx.boxes().put(put).await?;
        tx.boxes().add(add).await
    })
    .unwrap();
    let two = Smartbox { base: Base::Pa, ..second };
    let three = Smartbox { base: Base::Pa, ..smartbox(&ann.id, "three", 2) };
    for error in [
        write!(s.store, |tx| tx.boxes().put(two).await).unwrap_err(),
        write!(s.store, |tx| tx.boxes().add(three).await).unwrap_err(),
    ] {
        assert!(exists(&error, "PA"), "{error}");
    }
    // It may be changed itself, and another account has one of its own.
    write!(s.store, |tx| tx.boxes().put(pa).await).unwrap();
    let bob = account("bob");
    let theirs = Smartbox { base: Base::Pa, ..smartbox(&bob.id, "theirs", 3) };
    write!(s.store, |tx| {
        tx.accounts().add(bob).await?;
        tx.boxes().add(theirs).await
    })
    .unwrap();
}
