use smartbox_core::session::{Purpose, Token};
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Subject, T0, account, exists, missing, session, smartbox, token, with_box};
use crate::{read, write};

over_every_driver!(
    sessions_and_tokens_come_back,
    what_has_expired_is_never_returned,
    a_token_burns_once_under_concurrency,
    revoking_takes_one_purpose_of_one_account,
    hashes_are_unique_and_owners_are_needed,
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
        tx.sessions().add_session(a).await?;
        tx.sessions().add_token(b).await?;
        tx.sessions().add_token(c).await
    })
    .unwrap();
    let found = read!(s.store, |tx| tx.sessions().session("cookie".into(), T0).await).unwrap();
    assert_eq!(found, Some(open));
    for expected in [ticket, link] {
        let hash = expected.hash.clone();
        let found = read!(s.store, |tx| tx.sessions().token(hash, T0).await).unwrap();
        assert_eq!(found, Some(expected));
    }
    let crossed = read!(s.store, |tx| tx.sessions().session("ticket".into(), T0).await).unwrap();
    assert_eq!(crossed, None, "a token is no session");
    for _ in 0..2 {
        write!(s.store, |tx| tx.sessions().end_session("cookie".into()).await).unwrap();
    }
    assert_eq!(
        read!(s.store, |tx| tx.sessions().session("cookie".into(), T0).await).unwrap(),
        None
    );
}

async fn what_has_expired_is_never_returned(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    write!(s.store, |tx| {
        tx.sessions().add_session(session(&owner.id, "short", SOON)).await?;
        tx.sessions().add_session(session(&owner.id, "long", Timestamp(SOON.0 + 1))).await?;
        tx.sessions().add_token(token(&owner.id, "short", Some(SOON))).await?;
        tx.sessions().add_token(token(&owner.id, "ever", None)).await
    })
    .unwrap();
    for (now, there) in
        [(Timestamp(SOON.0 - 1), true), (SOON, false), (Timestamp(SOON.0 + 9), false)]
    {
        let seen = read!(s.store, |tx| {
            let session = tx.sessions().session("short".into(), now).await?.is_some();
            Ok((session, tx.sessions().token("short".into(), now).await?.is_some()))
        });
        assert_eq!(seen.unwrap(), (there, there), "{now:?}");
    }
    let burnt = write!(s.store, |tx| tx.sessions().burn("short".into(), SOON).await).unwrap();
    assert_eq!(burnt, None, "what has expired cannot be used by burning it");
    assert_eq!(write!(s.store, |tx| tx.sessions().sweep(SOON).await).unwrap(), 2);
    assert_eq!(write!(s.store, |tx| tx.sessions().sweep(SOON).await).unwrap(), 0);
    let left = read!(s.store, |tx| {
        let session = tx.sessions().session("long".into(), SOON).await?.is_some();
        Ok(session && tx.sessions().token("ever".into(), SOON).await?.is_some())
    });
    assert!(left.unwrap());
}

async fn a_token_burns_once_under_concurrency(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let ticket = token(&owner.id, "ticket", Some(SOON));
    write!(s.store, |tx| tx.sessions().add_token(ticket).await).unwrap();
    let mut burning = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = s.store.clone();
        burning.spawn(async move {
            write!(store, |tx| tx.sessions().burn("ticket".into(), T0).await).unwrap().is_some()
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
                    tx.sessions().add_token(row).await?;
                }
            }
        }
        tx.sessions().revoke(me.id.clone(), Purpose::Link).await
    })
    .unwrap();
    let mut left = Vec::new();
    for name in ["me-link-0", "me-link-1", "me-api-0", "me-api-1", "you-link-0", "you-api-1"] {
        let found = read!(s.store, |tx| tx.sessions().token(name.into(), T0).await).unwrap();
        left.extend(found.map(|t| t.hash));
    }
    assert_eq!(left, ["me-api-0", "me-api-1", "you-link-0", "you-api-1"]);
}

async fn hashes_are_unique_and_owners_are_needed(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (open, key) = (session(&owner.id, "h", SOON), token(&owner.id, "h", None));
    write!(s.store, |tx| {
        tx.sessions().add_session(open).await?;
        tx.sessions().add_token(key).await
    })
    .unwrap();
    let (open, key) = (session(&owner.id, "h", SOON), token(&owner.id, "h", None));
    let error = write!(s.store, |tx| tx.sessions().add_session(open).await).unwrap_err();
    assert!(exists(&error, "session"), "{error}");
    let error = write!(s.store, |tx| tx.sessions().add_token(key).await).unwrap_err();
    assert!(exists(&error, "token"), "{error}");

    let nobody = account("nobody").id;
    let (open, mut key) = (session(&nobody, "n", SOON), token(&owner.id, "n", None));
    key.smartbox = Some(smartbox(&owner.id, "gone", 9).id);
    let error = write!(s.store, |tx| tx.sessions().add_session(open).await).unwrap_err();
    assert!(missing(&error, "account or smartbox"), "{error}");
    let error = write!(s.store, |tx| tx.sessions().add_token(key).await).unwrap_err();
    assert!(missing(&error, "account or smartbox"), "{error}");
}
