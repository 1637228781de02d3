use smartbox_core::person::{Person, Right, Role};

use super::over_every_driver;
use crate::support::{Subject, T0, account, exists, missing, person, session, token, with_box};
use crate::{read, write};

over_every_driver!(
    people_are_known_by_who_says_who_they_are,
    people_are_found_by_their_address,
    a_role_is_given_and_taken_back,
    a_share_is_of_one_smartbox_and_never_the_whole,
    what_a_person_may_goes_with_them,
    what_hangs_on_a_smartbox_or_an_account_goes_with_it,
    nobody_may_anything_with_what_is_not_there,
);

async fn people_are_known_by_who_says_who_they_are(s: Subject) {
    let (ann, bob) = (person("ann"), person("bob"));
    let (a, b) = (ann.clone(), bob.clone());
    write!(s.store, |tx| {
        tx.people().add(b).await?;
        tx.people().add(a.clone()).await?;
        tx.people().know("https://a.example".into(), "1".into(), a.id.clone()).await?;
        tx.people().know("https://b.example".into(), "1".into(), a.id).await
    })
    .unwrap();
    for issuer in ["https://a.example", "https://b.example"] {
        let found = read!(s.store, |tx| tx.people().known(issuer.into(), "1".into()).await);
        assert_eq!(found.unwrap(), Some(ann.clone()), "{issuer}");
    }
    for (issuer, subject) in [("https://a.example", "2"), ("https://c.example", "1"), ("", "")] {
        let found = read!(s.store, |tx| tx.people().known(issuer.into(), subject.into()).await);
        assert_eq!(found.unwrap(), None, "{issuer} {subject}");
    }
    let id = bob.id.clone();
    let taken = write!(s.store, |tx| {
        tx.people().know("https://a.example".into(), "1".into(), id).await
    });
    assert!(
        exists(&taken.unwrap_err(), "identity"),
        "nobody takes another one's name at an issuer"
    );
    assert_eq!(read!(s.store, |tx| tx.people().list().await).unwrap(), [ann.clone(), bob]);

    let other = Person { name: "Ann".into(), operator: Some(Right::Read), disabled: true, ..ann };
    let put = other.clone();
    write!(s.store, |tx| tx.people().put(put).await).unwrap();
    let id = other.id.clone();
    assert_eq!(read!(s.store, |tx| tx.people().get(id).await).unwrap(), Some(other));
    let nobody = write!(s.store, |tx| tx.people().put(person("nobody")).await);
    assert!(missing(&nobody.unwrap_err(), "person"));
}

async fn people_are_found_by_their_address(s: Subject) {
    let mail = || Some("ann@example.com".to_owned());
    let later = T0.plus(std::time::Duration::from_secs(1));
    let invited = Person { email: mail(), created: later, ..person("invited") };
    let known = Person { email: mail(), ..person("known") };
    let other = Person { email: Some("ann@example.org".into()), ..person("other") };
    let all = [invited.clone(), known.clone(), other, person("nobody")];
    let id = known.id.clone();
    write!(s.store, |tx| {
        for person in all {
            tx.people().add(person).await?;
        }
        tx.people().know("https://b.example".into(), "1".into(), id.clone()).await?;
        tx.people().know("https://a.example".into(), "7".into(), id).await
    })
    .unwrap();
    let found = read!(s.store, |tx| tx.people().addressed("ann@example.com".into()).await);
    let issuers = ["https://a.example", "https://b.example"].map(str::to_owned).to_vec();
    assert_eq!(found.unwrap(), [(known, issuers), (invited, Vec::new())]);
    for none in ["", "Ann@example.com", "ann@example.com "] {
        let found = read!(s.store, |tx| tx.people().addressed(none.into()).await);
        assert_eq!(found.unwrap(), [], "{none:?}");
    }
}

async fn a_role_is_given_and_taken_back(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (ann, me) = (person("ann"), owner.id.clone());
    let (a, id) = (ann.clone(), me.clone());
    write!(s.store, |tx| {
        tx.people().add(a.clone()).await?;
        tx.grants().set_role(id.clone(), a.id.clone(), Some(Role::Viewer)).await?;
        tx.grants().set_role(id, a.id, Some(Role::Owner)).await
    })
    .unwrap();
    let (id, a) = (me.clone(), ann.id.clone());
    let role = read!(s.store, |tx| tx.grants().role(id, a).await).unwrap();
    assert_eq!(role, Some(Role::Owner));
    let id = me.clone();
    let members = read!(s.store, |tx| tx.grants().members(id).await).unwrap();
    assert_eq!(members, [(ann.clone(), Role::Owner)]);
    let a = ann.id.clone();
    let accounts = read!(s.store, |tx| tx.grants().accounts(a).await).unwrap();
    assert_eq!(accounts, [(me.clone(), Role::Owner)]);
    for _ in 0..2 {
        let (id, a) = (me.clone(), ann.id.clone());
        write!(s.store, |tx| tx.grants().set_role(id, a, None).await).unwrap();
    }
    let role = read!(s.store, |tx| tx.grants().role(me, ann.id).await).unwrap();
    assert_eq!(role, None);
}

async fn a_share_is_of_one_smartbox_and_never_the_whole(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let ann = person("ann");
    let (a, id) = (ann.clone(), pa.id.clone());
    write!(s.store, |tx| {
        tx.people().add(a.clone()).await?;
        tx.grants().set_share(id, a.id, Some(Right::Own)).await
    })
    .unwrap();
    let (a, id) = (ann.id.clone(), pa.id.clone());
    let right = read!(s.store, |tx| tx.grants().share(id, a).await).unwrap();
    assert_eq!(right, Some(Right::Manage), "a smartbox is never given away by a share");
    let id = pa.id.clone();
    let shares = read!(s.store, |tx| tx.grants().shares(id).await).unwrap();
    assert_eq!(shares, [(ann.clone(), Right::Manage)]);
    let a = ann.id.clone();
    let shared = read!(s.store, |tx| tx.grants().shared(a).await).unwrap();
    assert_eq!(shared, [(pa.id.clone(), Right::Manage)]);
    let (a, id) = (ann.id.clone(), pa.id.clone());
    write!(s.store, |tx| tx.grants().set_share(id, a, None).await).unwrap();
    let right = read!(s.store, |tx| tx.grants().share(pa.id, ann.id).await).unwrap();
    assert_eq!(right, None);
}

async fn what_a_person_may_goes_with_them(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let ann = person("ann");
    let mut open = session(&owner.id, "cookie", T0.plus(std::time::Duration::from_secs(9)));
    open.person = Some(ann.id.clone());
    let mut key = token(&owner.id, "key", None);
    key.person = Some(ann.id.clone());
    let mut begun = session(&owner.id, "begun", open.expires);
    begun.root.token = Some(key.id.clone());
    let (a, me) = (ann.clone(), owner.id.clone());
    write!(s.store, |tx| {
        tx.people().add(a.clone()).await?;
        tx.people().know("https://a.example".into(), "1".into(), a.id.clone()).await?;
        tx.grants().set_role(me, a.id.clone(), Some(Role::Member)).await?;
        tx.grants().set_share(pa.id.clone(), a.id.clone(), Some(Right::Read)).await?;
        tx.sessions().add(open).await?;
        tx.tokens().add(key).await?;
        tx.sessions().add(begun).await
    })
    .unwrap();
    for _ in 0..2 {
        let id = ann.id.clone();
        write!(s.store, |tx| tx.people().remove(id).await).unwrap();
    }
    let me = owner.id.clone();
    let left = read!(s.store, |tx| {
        Ok((
            tx.people().known("https://a.example".into(), "1".into()).await?.is_some(),
            tx.grants().members(me).await?.len(),
            tx.grants().shared(ann.id.clone()).await?.len(),
            tx.sessions().find("cookie".into(), T0).await?.is_some(),
            tx.tokens().find("key".into(), T0).await?.is_some(),
            tx.sessions().find("begun".into(), T0).await?.is_some(),
        ))
    });
    assert_eq!(left.unwrap(), (false, 0, 0, false, false, false));
}

async fn what_hangs_on_a_smartbox_or_an_account_goes_with_it(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let (ann, me) = (person("ann"), owner.id.clone());
    let (a, id) = (ann.clone(), pa.id.clone());
    write!(s.store, |tx| {
        tx.people().add(a.clone()).await?;
        tx.grants().set_role(me, a.id.clone(), Some(Role::Member)).await?;
        tx.grants().set_share(id.clone(), a.id, Some(Right::Read)).await?;
        tx.boxes().remove(id).await
    })
    .unwrap();
    let a = ann.id.clone();
    assert!(read!(s.store, |tx| tx.grants().shared(a).await).unwrap().is_empty());
    let me = owner.id.clone();
    write!(s.store, |tx| tx.accounts().bury(me, T0).await).unwrap();
    assert!(read!(s.store, |tx| tx.grants().accounts(ann.id).await).unwrap().is_empty());
}

async fn nobody_may_anything_with_what_is_not_there(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let (stranger, nowhere) = (person("stranger"), account("nowhere"));
    let (me, who, role) = (owner.id, stranger.id.clone(), Some(Role::Owner));
    let error = write!(s.store, |tx| tx.grants().set_role(me, who, role).await).unwrap_err();
    assert!(missing(&error, "account or person"), "{error}");
    let (who, right) = (stranger.id.clone(), Some(Right::Read));
    let error = write!(s.store, |tx| tx.grants().set_share(pa.id, who, right).await).unwrap_err();
    assert!(missing(&error, "smartbox or person"), "{error}");
    let id = stranger.id.clone();
    let error = write!(s.store, |tx| {
        tx.people().add(stranger).await?;
        tx.grants().set_role(nowhere.id, id, role).await
    });
    assert!(missing(&error.unwrap_err(), "account or person"));
}
