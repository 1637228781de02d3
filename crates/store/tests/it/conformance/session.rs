use smartbox_core::session::By;
use smartbox_core::time::Timestamp;
use smartbox_core::token::{Purpose, Token};

use super::over_every_driver;
use crate::support::{Subject, T0, account, exists, missing, session, smartbox, token, with_box};
use crate::{read, write};

over_every_driver!(
    sessions_and_tokens_come_back,
    a_session_gets_another_cookie_and_hangs_on_another_device,
    what_has_expired_is_never_returned,
    a_token_burns_once_under_concurrency,
    revoking_takes_one_purpose_of_one_account,
    hashes_are_unique_and_owners_are_needed,
    what_hangs_on_a_session_or_a_token_ends_with_it,
    who_uses_nothing_is_swept_out,
    one_token_is_revoked_and_the_others_are_listed,
);

const SOON: Timestamp = Timestamp(T0.0 + 10);

async fn sessions_and_tokens_come_back(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let mut open = session(&owner.id, "cookie", SOON);
    open.smartbox = Some(pa.id.clone());
    let mut ticket = token(&owner.id, "ticket", Some(SOON));
    (ticket.smartbox, ticket.purpose) = (Some(pa.id), Purpose::Ticket);
    let link = Token { purpose: Purpose::Link, ..token(&owner.id, "link", None) };
    let (a, b, c) = (open.clone(), ticket.clone(), link.clone());
    write!(s.store, |tx| {
        tx.sessions().add(a).await?;
        tx.tokens().add(b).await?;
        tx.tokens().add(c).await
    })
    .unwrap();
    let found = read!(s.store, |tx| tx.sessions().find("cookie".into(), T0).await).unwrap();
    assert_eq!(found, Some(open.clone()));
    let (id, other) = (open.id.clone(), session(&owner.id, "other", SOON).id);
    for (id, at, there) in [(&id, T0, true), (&id, SOON, false), (&other, T0, false)] {
        let id = id.clone();
        let found = read!(s.store, |tx| tx.sessions().find(By::Id(id), at).await).unwrap();
        assert_eq!(found, there.then(|| open.clone()));
    }
    for expected in [ticket, link] {
        let hash = expected.hash.clone();
        let found = read!(s.store, |tx| tx.tokens().find(hash, T0).await).unwrap();
        assert_eq!(found, Some(expected));
    }
    let crossed = read!(s.store, |tx| tx.sessions().find("ticket".into(), T0).await).unwrap();
    assert_eq!(crossed, None, "a token is no session");
    for _ in 0..2 {
        write!(s.store, |tx| tx.sessions().end("cookie".into()).await).unwrap();
    }
    assert_eq!(read!(s.store, |tx| tx.sessions().find("cookie".into(), T0).await).unwrap(), None);
}

async fn what_has_expired_is_never_returned(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    write!(s.store, |tx| {
        tx.sessions().add(session(&owner.id, "short", SOON)).await?;
        tx.sessions().add(session(&owner.id, "long", Timestamp(SOON.0 + 1))).await?;
        tx.tokens().add(token(&owner.id, "short", Some(SOON))).await?;
        tx.tokens().add(token(&owner.id, "ever", None)).await
    })
    .unwrap();
    for (now, there) in
        [(Timestamp(SOON.0 - 1), true), (SOON, false), (Timestamp(SOON.0 + 9), false)]
    {
        let seen = read!(s.store, |tx| {
            let session = tx.sessions().find("short".into(), now).await?.is_some();
            Ok((session, tx.tokens().find("short".into(), now).await?.is_some()))
        });
        assert_eq!(seen.unwrap(), (there, there), "{now:?}");
    }
    let burnt = write!(s.store, |tx| tx.tokens().burn("short".into(), SOON).await).unwrap();
    assert_eq!(burnt, None, "what has expired cannot be used by burning it");
    assert_eq!(swept(&s, SOON).await, 2);
    assert_eq!(swept(&s, SOON).await, 0);
    let left = read!(s.store, |tx| {
        let session = tx.sessions().find("long".into(), SOON).await?.is_some();
        Ok(session && tx.tokens().find("ever".into(), SOON).await?.is_some())
    });
    assert!(left.unwrap());
}

async fn a_token_burns_once_under_concurrency(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let ticket = token(&owner.id, "ticket", Some(SOON));
    write!(s.store, |tx| tx.tokens().add(ticket).await).unwrap();
    let mut burning = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = s.store.clone();
        burning.spawn(async move {
            write!(store, |tx| tx.tokens().burn("ticket".into(), T0).await).unwrap().is_some()
        });
    }
    let got = burning.join_all().await.into_iter().filter(|got| *got).count();
    assert_eq!(got, 1);
}

async fn revoking_takes_one_purpose_of_one_account(s: Subject) {
    let (me, you) = (account("me"), account("you"));
    write!(s.store, |tx| {
        for (owner, name) in [(&me, "me"), (&you, "you")] {
            tx.accounts().add(owner.clone()).await?;
            for purpose in [Purpose::Link, Purpose::Api] {
                for n in 0..2 {
                    let hash = format!("{name}-{}-{n}", purpose.as_str());
                    let row = Token { purpose, ..token(&owner.id, &hash, None) };
                    tx.tokens().add(row).await?;
                }
            }
        }
        tx.tokens().revoke_all(me.id.clone(), Purpose::Link).await
    })
    .unwrap();
    let mut left = Vec::new();
    for name in ["me-link-0", "me-link-1", "me-api-0", "me-api-1", "you-link-0", "you-api-1"] {
        let found = read!(s.store, |tx| tx.tokens().find(name.into(), T0).await).unwrap();
        left.extend(found.map(|t| t.hash));
    }
    assert_eq!(left, ["me-api-0", "me-api-1", "you-link-0", "you-api-1"]);
}

async fn hashes_are_unique_and_owners_are_needed(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (open, key) = (session(&owner.id, "h", SOON), token(&owner.id, "h", None));
    write!(s.store, |tx| {
        tx.sessions().add(open).await?;
        tx.tokens().add(key).await
    })
    .unwrap();
    let (open, key) = (session(&owner.id, "h", SOON), token(&owner.id, "h", None));
    let error = write!(s.store, |tx| tx.sessions().add(open).await).unwrap_err();
    assert!(exists(&error, "session"), "{error}");
    let error = write!(s.store, |tx| tx.tokens().add(key).await).unwrap_err();
    assert!(exists(&error, "token"), "{error}");

    let nobody = account("nobody").id;
    let (open, mut key) = (session(&nobody, "n", SOON), token(&owner.id, "n", None));
    key.smartbox = Some(smartbox(&owner.id, "gone", 9).id);
    let error = write!(s.store, |tx| tx.sessions().add(open).await).unwrap_err();
    assert!(missing(&error, "account, person, smartbox or root"), "{error}");
    let error = write!(s.store, |tx| tx.tokens().add(key).await).unwrap_err();
    assert!(missing(&error, "account, person, smartbox or root"), "{error}");
}

async fn swept(s: &Subject, now: Timestamp) -> u64 {
    write!(s.store, |tx| {
        Ok(tx.sessions().sweep(now, T0).await? + tx.tokens().sweep(now).await?)
    })
    .unwrap()
}

async fn what_hangs_on_a_session_or_a_token_ends_with_it(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (open, key) = (session(&owner.id, "open", SOON), token(&owner.id, "key", None));
    let mut ticket = token(&owner.id, "ticket", None);
    ticket.root.session = Some(open.id.clone());
    let mut inside = session(&owner.id, "inside", SOON);
    inside.root.session = Some(open.id.clone());
    let mut by_key = session(&owner.id, "by-key", SOON);
    by_key.root.token = Some(key.id.clone());
    let mut deeper = session(&owner.id, "deeper", SOON);
    deeper.root.session = Some(by_key.id.clone());
    let revoked = key.id.clone();
    write!(s.store, |tx| {
        tx.sessions().add(open).await?;
        tx.tokens().add(key).await?;
        tx.tokens().add(ticket).await?;
        tx.sessions().add(inside).await?;
        tx.sessions().add(by_key).await?;
        tx.sessions().add(deeper).await
    })
    .unwrap();
    let there = async || {
        let found = read!(s.store, |tx| {
            let mut found = Vec::new();
            for hash in ["open", "inside", "by-key", "deeper"] {
                found.push(tx.sessions().find(hash.into(), T0).await?.is_some());
            }
            found.push(tx.tokens().find("ticket".into(), T0).await?.is_some());
            Ok(found)
        });
        found.unwrap()
    };
    assert_eq!(there().await, [true; 5]);
    write!(s.store, |tx| tx.sessions().end("open".into()).await).unwrap();
    assert_eq!(there().await, [false, false, true, true, false]);
    assert!(write!(s.store, |tx| tx.tokens().revoke(revoked).await).unwrap());
    assert_eq!(there().await, [false; 5]);
    let mut late = session(&owner.id, "late", SOON);
    late.root.session = Some(session(&owner.id, "x", SOON).id);
    let error = write!(s.store, |tx| tx.sessions().add(late).await).unwrap_err();
    assert!(missing(&error, "account, person, smartbox or root"), "{error}");
}

async fn who_uses_nothing_is_swept_out(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (idle, used) = (session(&owner.id, "idle", SOON), session(&owner.id, "used", SOON));
    let (id, later) = (used.id.clone(), Timestamp(T0.0 + 5));
    write!(s.store, |tx| {
        tx.sessions().add(idle).await?;
        tx.sessions().add(used).await?;
        tx.sessions().seen(id.clone(), later).await?;
        tx.sessions().seen(id, T0).await
    })
    .unwrap();
    let gone = write!(s.store, |tx| tx.sessions().sweep(T0, later).await).unwrap();
    assert_eq!(gone, 1);
    let me = owner.id.clone();
    let left = read!(s.store, |tx| tx.sessions().list(me, T0).await).unwrap();
    assert_eq!(left.iter().map(|s| (&*s.hash, s.seen)).collect::<Vec<_>>(), [("used", later)]);
}

async fn one_token_is_revoked_and_the_others_are_listed(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (a, b) = (token(&owner.id, "a", None), token(&owner.id, "b", Some(SOON)));
    let (first, second) = (a.id.clone(), b.id.clone());
    write!(s.store, |tx| {
        tx.tokens().add(a).await?;
        tx.tokens().add(b).await?;
        tx.tokens().used(second, SOON).await
    })
    .unwrap();
    let gone = first.clone();
    assert!(write!(s.store, |tx| tx.tokens().revoke(gone).await).unwrap());
    assert!(!write!(s.store, |tx| tx.tokens().revoke(first).await).unwrap(), "once");
    for of in [Some(owner.id.clone()), None] {
        let left = read!(s.store, |tx| tx.tokens().list(of, Purpose::Api).await).unwrap();
        assert_eq!(
            left.iter().map(|t| (&*t.hash, t.used)).collect::<Vec<_>>(),
            [("b", Some(SOON))]
        );
    }
    let other = Some(account("other").id);
    assert!(read!(s.store, |tx| tx.tokens().list(other, Purpose::Api).await).unwrap().is_empty());
}

async fn a_session_gets_another_cookie_and_hangs_on_another_device(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (mut open, other) = (session(&owner.id, "old", SOON), session(&owner.id, "other", SOON));
    let (o, t) = (open.clone(), other.clone());
    write!(s.store, |tx| {
        tx.sessions().add(o).await?;
        tx.sessions().add(t).await
    })
    .unwrap();
    (open.hash, open.proved, open.seen) = ("new".into(), Some(T0), SOON);
    let changed = open.clone();
    write!(s.store, |tx| tx.sessions().put(changed).await).unwrap();
    let found = read!(s.store, |tx| {
        Ok((
            tx.sessions().find("old".into(), T0).await?,
            tx.sessions().find("new".into(), T0).await?,
            tx.sessions().find("other".into(), T0).await?,
        ))
    });
    assert_eq!(
        found.unwrap(),
        (None, Some(open.clone()), Some(other)),
        "the old cookie is nothing"
    );
    open.hash = "other".into();
    let taken = open.clone();
    let error = write!(s.store, |tx| tx.sessions().put(taken).await).unwrap_err();
    assert!(exists(&error, "session"), "{error}");
    write!(s.store, |tx| tx.sessions().end("new".into()).await).unwrap();
    open.hash = "again".into();
    let error = write!(s.store, |tx| tx.sessions().put(open).await).unwrap_err();
    assert!(missing(&error, "session"), "a session that is over does not come back: {error}");
}
