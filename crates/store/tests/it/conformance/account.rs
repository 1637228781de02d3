use super::over_every_driver;
use crate::support::{Subject, account, exists};
use crate::{read, write};

over_every_driver!(accounts_are_found_by_id_and_name, ids_and_names_are_unique);

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
