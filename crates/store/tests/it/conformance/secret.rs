use smartbox_core::secret::Scope;
use smartbox_core::time::Timestamp;
use smartbox_store::Released;

use super::over_every_driver;
use crate::support::{Driver, Subject, T0, account, missing, secret, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    a_secret_is_set_opened_replaced_and_removed,
    scopes_do_not_mix,
    values_before_are_kept_and_come_back,
    what_is_missing_is_said,
    the_nearest_scope_is_released,
    releases_are_counted_by_the_minute,
);

async fn a_secret_is_set_opened_replaced_and_removed(s: Subject) {
    for value in ["one", "", "☂ zwei\n", &"x".repeat(100_000)] {
        let put = secret(value);
        write!(s.store, |tx| tx.secrets().set(Scope::Platform, "KEY".into(), put).await).unwrap();
        let opened =
            read!(s.store, |tx| tx.secrets().open(Scope::Platform, "KEY".into()).await).unwrap();
        assert!(opened.is_some_and(|v| v.expose() == value));
    }
    let later = Timestamp(T0.0 + 1);
    s.clock.set(later);
    write!(s.store, |tx| tx.secrets().set(Scope::Platform, "A".into(), secret("a")).await).unwrap();
    let list = read!(s.store, |tx| tx.secrets().list(Scope::Platform).await).unwrap();
    let told: Vec<_> =
        list.iter().map(|i| (i.name.as_str(), i.scope.as_str(), i.updated)).collect();
    assert_eq!(told, [("A", "platform", later), ("KEY", "platform", T0)]);
    for was_there in [true, false] {
        let removed =
            write!(s.store, |tx| tx.secrets().remove(Scope::Platform, "KEY".into()).await);
        assert_eq!(removed.unwrap(), was_there);
    }
    let gone = read!(s.store, |tx| tx.secrets().open(Scope::Platform, "KEY".into()).await).unwrap();
    assert!(gone.is_none());
}

async fn scopes_do_not_mix(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let scopes = [Scope::Platform, Scope::Account(owner.id), Scope::Smartbox(pa.id)];
    for (n, scope) in scopes.clone().into_iter().enumerate() {
        let value = secret(&n.to_string());
        write!(s.store, |tx| tx.secrets().set(scope, "KEY".into(), value).await).unwrap();
    }
    for (n, scope) in scopes.into_iter().enumerate() {
        let value = read!(s.store, |tx| tx.secrets().open(scope, "KEY".into()).await).unwrap();
        assert_eq!(value.unwrap().expose(), &n.to_string());
    }
}

async fn what_is_missing_is_said(s: Subject) {
    let nobody = account("nobody").id;
    let nothing = smartbox(&nobody, "gone", 0).id;
    for (scope, what) in
        [(Scope::Account(nobody), "account"), (Scope::Smartbox(nothing.clone()), "smartbox")]
    {
        let error = write!(s.store, |tx| tx.secrets().set(scope, "KEY".into(), secret("v")).await)
            .unwrap_err();
        assert!(missing(&error, what), "{error}");
    }
    let error = s.release.release(nothing, "KEY".into()).await.unwrap_err();
    assert!(missing(&error, "smartbox"), "{error}");
}

async fn the_nearest_scope_is_released(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    assert!(s.release.release(pa.id.clone(), "KEY".into()).await.unwrap().is_none());
    for (scope, value) in [
        (Scope::Platform, "platform's"),
        (Scope::Account(owner.id), "account's"),
        (Scope::Smartbox(pa.id.clone()), "own"),
    ] {
        write!(s.store, |tx| tx.secrets().set(scope, "KEY".into(), secret(value)).await).unwrap();
        let released = s.release.release(pa.id.clone(), "KEY".into()).await.unwrap();
        assert_eq!(released.unwrap().expose(), value);
    }
    assert!(s.release.release(pa.id, "OTHER".into()).await.unwrap().is_none());
}

async fn releases_are_counted_by_the_minute(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    write!(s.store, |tx| tx.secrets().set(Scope::Platform, "KEY".into(), secret("v")).await)
        .unwrap();
    let minutes = [T0, Timestamp(T0.0 + 59_999), Timestamp(T0.0 + 60_000)];
    for at in minutes {
        s.clock.set(at);
        s.release.release(pa.id.clone(), "KEY".into()).await.unwrap().unwrap();
        assert!(s.release.release(pa.id.clone(), "NONE".into()).await.unwrap().is_none());
    }
    let expected = [(T0, 2), (minutes[2], 1)].map(|(minute, count)| Released {
        minute,
        smartbox: pa.id.clone(),
        name: "KEY".into(),
        scope: "platform".into(),
        count,
    });
    // The count is evidence: it outlives the box.
    let id = pa.id.clone();
    write!(s.store, |tx| tx.boxes().remove(id).await).unwrap();
    assert_eq!(releases(&s, &owner.id, T0).await, expected);
    assert_eq!(releases(&s, &owner.id, minutes[2]).await, expected[1..]);
    assert_eq!(releases(&s, &account("x").id, T0).await, []);
    let swept = write!(s.store, |tx| tx.secrets().sweep_releases(minutes[2]).await);
    assert_eq!(swept.unwrap(), 1);
    assert_eq!(releases(&s, &owner.id, T0).await, expected[1..]);
}

async fn releases(
    s: &Subject,
    account: &smartbox_core::id::AccountId,
    since: Timestamp,
) -> Vec<Released> {
    match &s.driver {
        Driver::Sqlite(store, _) => store.releases(account.clone(), since).await.unwrap(),
        Driver::Memory(store) => store.releases(account, since),
    }
}

async fn values_before_are_kept_and_come_back(s: Subject) {
    let kept = async |s: &Subject| -> Vec<(u64, bool)> {
        let all = read!(s.store, |tx| tx.secrets().versions(Scope::Platform, "KEY".into()).await);
        all.unwrap().into_iter().map(|one| (one.revision, one.current)).collect()
    };
    assert_eq!(kept(&s).await, []);
    for n in 1..=7 {
        s.clock.set(Timestamp(T0.0 + n));
        let value = secret(&format!("v{n}"));
        let set =
            write!(s.store, |tx| tx.secrets().set(Scope::Platform, "KEY".into(), value).await);
        assert_eq!(set.unwrap(), n as u64);
    }
    // Another scope's of the same name is another secret.
    let (_, pa) = with_box(&*s.store, "pa").await;
    let scope = Scope::Smartbox(pa.id.clone());
    write!(s.store, |tx| tx.secrets().set(scope, "KEY".into(), secret("own")).await).unwrap();
    assert_eq!(kept(&s).await, [(7, true), (6, false), (5, false), (4, false), (3, false)]);
    let times = read!(s.store, |tx| tx.secrets().versions(Scope::Platform, "KEY".into()).await);
    let times: Vec<i64> = times.unwrap().iter().map(|one| one.updated.0 - T0.0).collect();
    assert_eq!(times, [7, 6, 5, 4, 3]);
    for (to, revision) in [(4, 8), (8, 9)] {
        let back =
            write!(s.store, |tx| tx.secrets().roll_back(Scope::Platform, "KEY".into(), to).await);
        assert_eq!(back.unwrap(), revision);
        // A broker has it at once.
        let released = s.release.release_of(pa.id.clone(), Scope::Platform, "KEY".into()).await;
        let opened = read!(s.store, |tx| tx.secrets().open(Scope::Platform, "KEY".into()).await);
        assert_eq!(opened.unwrap().unwrap().expose(), "v4");
        drop(released);
    }
    assert_eq!(kept(&s).await, [(9, true), (8, false), (7, false), (6, false), (5, false)]);
    for gone in [1, 4, 10, u64::MAX] {
        let missed =
            write!(s.store, |tx| tx.secrets().roll_back(Scope::Platform, "KEY".into(), gone).await);
        assert!(missing(&missed.unwrap_err(), "version of the secret"));
    }
    // Removed, nothing of it is kept.
    write!(s.store, |tx| tx.secrets().remove(Scope::Platform, "KEY".into()).await).unwrap();
    assert_eq!(kept(&s).await, []);
    let missed =
        write!(s.store, |tx| tx.secrets().roll_back(Scope::Platform, "KEY".into(), 9).await);
    assert!(missing(&missed.unwrap_err(), "version of the secret"));
    write!(s.store, |tx| tx.secrets().set(Scope::Platform, "KEY".into(), secret("new")).await)
        .unwrap();
    assert_eq!(kept(&s).await, [(1, true)]);
}
