use smartbox_core::account::Account;
use smartbox_core::reply::{Asked, Before, KEPT, MAX_KEYS};
use smartbox_core::secret::Secret;
use smartbox_core::store::{Store, StoreError};
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Subject, T0, account, missing};
use crate::write;

over_every_driver!(
    a_key_is_taken_once_and_answers_with_what_was_kept,
    a_key_that_is_given_back_is_free,
    a_reply_that_was_too_long_is_remembered_as_done,
    keys_of_accounts_and_routes_are_their_own,
    keys_are_forgotten_after_a_day_and_beyond_their_number,
    a_key_for_nobody_is_refused,
);

async fn owner(s: &Subject) -> Account {
    let row = account("me");
    let kept = row.clone();
    write!(s.store, |tx| tx.accounts().add(row).await).unwrap();
    kept
}

fn asked(owner: &Account, route: &str, key: &str) -> Asked {
    Asked { account: owner.id.clone(), route: route.into(), key: key.into() }
}

async fn begin(store: &dyn Store, asked: &Asked, digest: &str, at: Timestamp) -> Before {
    let (asked, digest) = (asked.clone(), digest.to_owned());
    write!(store, |tx| tx.replies().begin(asked, digest, "run".into(), at).await).unwrap()
}

async fn keep(store: &dyn Store, asked: &Asked, reply: Option<&str>) {
    let (asked, reply) = (asked.clone(), reply.map(|text| Secret::new(text.to_owned())));
    write!(store, |tx| tx.replies().keep(asked, reply).await).unwrap();
}

async fn a_key_is_taken_once_and_answers_with_what_was_kept(s: Subject) {
    let ask = asked(&owner(&s).await, "POST /a", "key");
    assert!(matches!(begin(&*s.store, &ask, "d", T0).await, Before::New));
    let again = begin(&*s.store, &ask, "d", T0).await;
    assert!(matches!(again, Before::Doing { run } if run == "run"));
    assert!(matches!(begin(&*s.store, &ask, "e", T0).await, Before::Other));
    keep(&*s.store, &ask, Some("sba_shown_once")).await;
    let again = begin(&*s.store, &ask, "d", T0).await;
    assert!(!format!("{again:?}").contains("sba_shown_once"), "it prints");
    assert!(matches!(again, Before::Done(reply) if reply.expose() == "sba_shown_once"));
    assert!(matches!(begin(&*s.store, &ask, "e", T0).await, Before::Other));
}

async fn a_key_that_is_given_back_is_free(s: Subject) {
    let ask = asked(&owner(&s).await, "POST /a", "key");
    begin(&*s.store, &ask, "d", T0).await;
    let gone = ask.clone();
    write!(s.store, |tx| tx.replies().forget(gone).await).unwrap();
    assert!(matches!(begin(&*s.store, &ask, "e", T0).await, Before::New));
    // What nobody has taken is not kept.
    let never = Asked { key: "never".into(), ..ask };
    keep(&*s.store, &never, Some("x")).await;
    assert!(matches!(begin(&*s.store, &never, "d", T0).await, Before::New));
}

async fn a_reply_that_was_too_long_is_remembered_as_done(s: Subject) {
    let ask = asked(&owner(&s).await, "POST /a", "key");
    begin(&*s.store, &ask, "d", T0).await;
    keep(&*s.store, &ask, None).await;
    assert!(matches!(begin(&*s.store, &ask, "d", T0).await, Before::TooLong));
}

async fn keys_of_accounts_and_routes_are_their_own(s: Subject) {
    let me = owner(&s).await;
    let row = account("other");
    let other = row.clone();
    write!(s.store, |tx| tx.accounts().add(row).await).unwrap();
    for ask in [
        asked(&me, "POST /a", "key"),
        asked(&me, "POST /b", "key"),
        asked(&other, "POST /a", "key"),
    ] {
        assert!(matches!(begin(&*s.store, &ask, "d", T0).await, Before::New), "{ask:?}");
    }
}

async fn keys_are_forgotten_after_a_day_and_beyond_their_number(s: Subject) {
    let me = owner(&s).await;
    let first = asked(&me, "POST /a", "first");
    begin(&*s.store, &first, "d", T0).await;
    assert!(matches!(begin(&*s.store, &first, "e", T0.plus(KEPT)).await, Before::Other));
    let late = Timestamp(T0.plus(KEPT).0 + 1);
    assert!(matches!(begin(&*s.store, &first, "e", late).await, Before::New));
    let id = me.id.clone();
    write!(s.store, |tx| {
        for n in 0..i64::from(MAX_KEYS) {
            let key = format!("{n}");
            let ask = Asked { account: id.clone(), route: "POST /a".into(), key };
            let at = Timestamp(late.0 + 1 + n);
            tx.replies().begin(ask, "d".into(), "run".into(), at).await?;
        }
        Ok(())
    })
    .unwrap();
    let now = Timestamp(late.0 + 10_000);
    let newest = asked(&me, "POST /a", &format!("{}", MAX_KEYS - 1));
    assert!(matches!(begin(&*s.store, &newest, "e", now).await, Before::Other));
    assert!(matches!(begin(&*s.store, &first, "d", now).await, Before::New));
}

async fn a_key_for_nobody_is_refused(s: Subject) {
    let ask = asked(&account("nobody"), "POST /a", "key");
    let error: StoreError =
        write!(s.store, |tx| tx.replies().begin(ask, "d".into(), "run".into(), T0).await)
            .unwrap_err();
    assert!(missing(&error, "account"), "{error}");
}
