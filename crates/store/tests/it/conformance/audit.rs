use smartbox_core::audit::{Act, Head};
use smartbox_store::Given;

use super::over_every_driver;
use crate::support::{Subject, account, act, missing, with_box};
use crate::{read, write};

over_every_driver!(acts_are_chained_per_account, a_failed_work_leaves_no_act, acts_need_an_account,);

async fn acts_are_chained_per_account(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let other = account("other");
    let (me, you) = (owner.id.clone(), other.id.clone());
    let acts: Vec<Act> = (0..5)
        .map(|n| Act {
            smartbox: (n % 2 == 0).then(|| pa.id.clone()),
            detail: format!("n={n} \" \\ ☂"),
            ..act(&me, "box.stop")
        })
        .collect();
    let (appended, yours) = (acts.clone(), act(&you, "box.add"));
    write!(s.store, |tx| {
        tx.accounts().add(other).await?;
        for act in appended {
            tx.audit().append(act).await?;
        }
        tx.audit().append(yours).await
    })
    .unwrap();
    let id = me.clone();
    let all = read!(s.store, |tx| tx.audit().list(id, 0, 100).await).unwrap();
    assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all.iter().map(|e| e.act.clone()).collect::<Vec<_>>(), acts);
    assert!(all.iter().all(|e| e.hash.len() == 64 && e.hash == e.hash.to_lowercase()));
    let id = me.clone();
    let some = read!(s.store, |tx| tx.audit().list(id, 2, 2).await).unwrap();
    assert_eq!(some, all[2..4]);
    // What is told of the end is enough for whoever was given the entries.
    let id = me.clone();
    let head = read!(s.store, |tx| tx.audit().head(id).await).unwrap();
    assert_eq!((head.seq, &head.hash), (5, &all[4].hash));
    let mut given = Given::behind(me.as_str(), 0, "");
    assert!(all.iter().all(|entry| given.entry(entry)));
    assert_eq!(given.finish(&head), None);
    let mut part = Given::behind(me.as_str(), 2, &all[1].hash);
    assert!(all[2..].iter().all(|entry| part.entry(entry)));
    assert_eq!(part.finish(&head), None);
    let mut theirs = Given::behind(you.as_str(), 0, "");
    assert!(!theirs.entry(&all[0]), "another account's");
    for key in ["", "00", &"00".repeat(32), &"zz".repeat(32)] {
        let mut given = Given::behind(me.as_str(), 0, "");
        assert!(all.iter().all(|entry| given.entry(entry)));
        let forged = Head { key: key.to_owned(), ..head.clone() };
        assert_eq!(given.finish(&forged), Some(5), "{key}");
    }
    for id in [me, you] {
        assert_eq!(read!(s.store, |tx| tx.audit().verify(id).await).unwrap(), None);
    }
}

async fn a_failed_work_leaves_no_act(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let (done, again, id) = (act(&owner.id, "box.add"), pa.clone(), owner.id.clone());
    write!(s.store, |tx| {
        tx.audit().append(done).await?;
        tx.boxes().add(again).await
    })
    .unwrap_err();
    let (entries, bad) = read!(s.store, |tx| {
        let entries = tx.audit().list(id.clone(), 0, 9).await?;
        Ok((entries, tx.audit().verify(id).await?))
    })
    .unwrap();
    assert_eq!((entries, bad), (vec![], None));
}

async fn acts_need_an_account(s: Subject) {
    let nobody = account("nobody").id;
    let lost = act(&nobody, "box.add");
    let error = write!(s.store, |tx| tx.audit().append(lost).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
    let lost = nobody.clone();
    let error = read!(s.store, |tx| tx.audit().head(lost).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
    let error = read!(s.store, |tx| tx.audit().verify(nobody).await).unwrap_err();
    assert!(missing(&error, "account"), "{error}");
}
