use smartbox_core::account::Account;
use smartbox_core::labels::Labels;
use smartbox_core::secret::Scope;

use super::over_every_driver;
use crate::support::{
    Subject, T0, account, act, exists, missing, secret, session, token, with_box,
};
use crate::{read, write};

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

over_every_driver!(
    accounts_are_found_by_id_and_name,
    ids_and_names_are_unique,
    what_is_changed_comes_back_and_the_name_stays,
    a_buried_account_leaves_its_audit_and_nothing_else,
    an_account_with_boxes_is_not_buried,
);

async fn accounts_are_found_by_id_and_name(s: Subject) {
    let (zoe, ann) = (account("zoe"), account("ann"));
    let (z, a) = (zoe.clone(), ann.clone());
    write!(s.store, |tx| {
        tx.accounts().add(z).await?;
        tx.accounts().add(a).await
    })
    .unwrap();
    let id = zoe.id.clone();
    assert_eq!(read!(s.store, |tx| tx.accounts().get(id).await).unwrap(), Some(zoe.clone()));
    let found = read!(s.store, |tx| tx.accounts().named("ann".into()).await).unwrap();
    assert_eq!(found, Some(ann.clone()));
    assert_eq!(read!(s.store, |tx| tx.accounts().named("Ann".into()).await).unwrap(), None);
    assert_eq!(read!(s.store, |tx| tx.accounts().list().await).unwrap(), [ann, zoe]);
    let other = account("other").id;
    assert_eq!(read!(s.store, |tx| tx.accounts().get(other).await).unwrap(), None);
}

async fn ids_and_names_are_unique(s: Subject) {
    let first = account("me");
    let (again, mut same_id) = (account("me"), first.clone());
    same_id.name = "you".into();
    write!(s.store, |tx| tx.accounts().add(first).await).unwrap();
    for taken in [again, same_id] {
        let error = write!(s.store, |tx| tx.accounts().add(taken).await).unwrap_err();
        assert!(exists(&error, "account"), "{error}");
    }
}

async fn what_is_changed_comes_back_and_the_name_stays(s: Subject) {
    let ann = account("ann");
    let (id, add) = (ann.id.clone(), ann.clone());
    let changed = Account {
        name: "other".into(),
        display: "Ann's \"team\"".into(),
        labels: Labels::default().changed([("plan".into(), Some("pro".into()))]).unwrap(),
        disabled: true,
        removing: true,
        revision: 5,
        ..ann
    };
    let put = changed.clone();
    let error = write!(s.store, |tx| tx.accounts().put(put).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
    let put = changed.clone();
    write!(s.store, |tx| {
        tx.accounts().add(add).await?;
        tx.accounts().put(put).await
    })
    .unwrap();
    let found = read!(s.store, |tx| tx.accounts().get(id).await).unwrap();
    assert_eq!(found, Some(Account { name: "ann".into(), ..changed }));
}

async fn a_buried_account_leaves_its_audit_and_nothing_else(s: Subject) {
    let ann = account("ann");
    let (id, add) = (ann.id.clone(), ann.clone());
    write!(s.store, |tx| {
        tx.accounts().add(add.clone()).await?;
        tx.sessions().add(session(&add.id, "s", T0.plus(HOUR))).await?;
        tx.tokens().add(token(&add.id, "t", None)).await?;
        tx.secrets().set(Scope::Account(add.id.clone()), "KEY".into(), secret("v")).await?;
        tx.audit().append(act(&add.id, "account.create")).await
    })
    .unwrap();
    for _ in 0..2 {
        let id = id.clone();
        write!(s.store, |tx| tx.accounts().bury(id, T0).await).unwrap();
    }
    let (gone, scope) = (id.clone(), Scope::Account(id.clone()));
    let left = read!(s.store, |tx| {
        let account = tx.accounts().get(gone).await?;
        let named = tx.accounts().named("ann".into()).await?;
        let list = tx.accounts().list().await?;
        let session = tx.sessions().find("s".into(), T0).await?;
        let token = tx.tokens().find("t".into(), T0).await?;
        let secrets = tx.secrets().list(scope).await?;
        Ok((account, named, list.len(), session, token, secrets.len()))
    })
    .unwrap();
    assert_eq!(left, (None, None, 0, None, None, 0));
    // The chain goes on: what happened is still vouched for, and its end can be added.
    let (ours, again, same_id) = (id.clone(), account("ann"), ann.clone());
    let verified = write!(s.store, |tx| {
        tx.audit().append(act(&ours, "account.remove")).await?;
        let acts = tx.audit().list(ours.clone(), 0, 10).await?;
        Ok((acts.len(), tx.audit().verify(ours).await?))
    });
    assert_eq!(verified.unwrap(), (2, None));
    // Its name is free, its id is not.
    write!(s.store, |tx| tx.accounts().add(again).await).unwrap();
    let error = write!(s.store, |tx| tx.accounts().add(same_id).await).unwrap_err();
    assert!(exists(&error, "account"), "{error}");
    let error = write!(s.store, |tx| tx.accounts().put(ann).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
}

async fn an_account_with_boxes_is_not_buried(s: Subject) {
    let (ann, pa) = with_box(&*s.store, "ann").await;
    let id = ann.id.clone();
    let error = write!(s.store, |tx| tx.accounts().bury(id, T0).await).unwrap_err();
    assert!(exists(&error, "smartbox of the account"), "{error}");
    let id = ann.id.clone();
    assert_eq!(read!(s.store, |tx| tx.accounts().get(id).await).unwrap(), Some(ann.clone()));
    write!(s.store, |tx| {
        tx.boxes().remove(pa.id).await?;
        tx.accounts().bury(ann.id, T0).await
    })
    .unwrap();
}
