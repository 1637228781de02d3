use smartbox_core::egress::{Binding, Bound, Held, Place, Placeholder, Rule, Shape};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Scope;
use smartbox_core::store::StoreError;

use super::over_every_driver;
use crate::support::{Os, Subject, missing, secret, smartbox, with_box};
use crate::{read, write};

over_every_driver!(
    a_secret_is_bound_replaced_and_unbound,
    a_secret_that_is_set_again_stays_bound_and_one_that_is_gone_does_not,
    a_box_keeps_what_it_holds_until_it_is_gone,
    a_value_is_released_from_the_scope_that_is_meant_or_not_at_all,
);

fn bound(host: &str) -> Bound {
    let binding = Binding {
        secret: "KEY".into(),
        to: Rule::parse(host).unwrap(),
        places: vec![Place::BasicPassword, Place::Path { before: "/bot".into() }],
        in_clear: false,
    };
    Bound { shape: Shape::parse("telegram").unwrap(), bindings: vec![binding] }
}

async fn set(s: &Subject, scope: &Scope) {
    let scope = scope.clone();
    write!(s.store, |tx| tx.secrets().set(scope, "KEY".into(), secret("value")).await).unwrap();
}

async fn bind(s: &Subject, scope: &Scope, bound: Bound) -> Result<(), StoreError> {
    let scope = scope.clone();
    write!(s.store, |tx| tx.bindings().set(scope, "KEY".into(), bound).await)
}

async fn list(s: &Subject, scope: &Scope) -> Vec<(String, Bound)> {
    let scope = scope.clone();
    read!(s.store, |tx| tx.bindings().list(scope).await).unwrap()
}

async fn a_secret_is_bound_replaced_and_unbound(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    let (mine, its) = (Scope::Account(me.id), Scope::Smartbox(pa.id));
    assert!(missing(&bind(&s, &mine, bound("a.test")).await.unwrap_err(), "secret"));
    set(&s, &mine).await;
    for host in ["a.test", "*.b.test:8443"] {
        bind(&s, &mine, bound(host)).await.unwrap();
        assert_eq!(list(&s, &mine).await, [("KEY".to_owned(), bound(host))]);
    }
    assert!(list(&s, &its).await.is_empty());
    for was in [true, false] {
        let scope = mine.clone();
        let done = write!(s.store, |tx| tx.bindings().remove(scope, "KEY".into()).await);
        assert_eq!(done.unwrap(), was);
    }
    assert!(list(&s, &mine).await.is_empty());
}

async fn a_secret_that_is_set_again_stays_bound_and_one_that_is_gone_does_not(s: Subject) {
    let (me, _) = with_box(&*s.store, "pa").await;
    let mine = Scope::Account(me.id);
    set(&s, &mine).await;
    bind(&s, &mine, bound("a.test")).await.unwrap();
    set(&s, &mine).await;
    assert_eq!(list(&s, &mine).await.len(), 1);
    let scope = mine.clone();
    write!(s.store, |tx| tx.secrets().remove(scope, "KEY".into()).await).unwrap();
    assert!(list(&s, &mine).await.is_empty());
    set(&s, &mine).await;
    assert!(list(&s, &mine).await.is_empty(), "another secret of that name is not bound");
}

async fn a_box_keeps_what_it_holds_until_it_is_gone(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let held = |shape: &Shape| Held {
        placeholder: Placeholder::generate(&Os, shape),
        secret: "KEY".into(),
    };
    let of = async |id: &SmartboxId| {
        let id = id.clone();
        read!(s.store, |tx| tx.bindings().held(id).await).unwrap()
    };
    for shape in [Shape::default(), Shape::parse("hex").unwrap()] {
        let (one, id, kept) = (held(&shape), pa.id.clone(), shape.clone());
        let given = one.clone();
        write!(s.store, |tx| tx.bindings().hold(id, given, kept).await).unwrap();
        assert_eq!(of(&pa.id).await, [(one, shape)]);
    }
    let id = pa.id.clone();
    write!(s.store, |tx| tx.boxes().remove(id).await).unwrap();
    assert!(of(&pa.id).await.is_empty());
    let (id, shape) = (pa.id.clone(), Shape::default());
    let one = held(&shape);
    let late = write!(s.store, |tx| tx.bindings().hold(id, one, shape).await);
    assert!(missing(&late.unwrap_err(), "smartbox"));
}

async fn a_value_is_released_from_the_scope_that_is_meant_or_not_at_all(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    let (mine, its) = (Scope::Account(me.id.clone()), Scope::Smartbox(pa.id.clone()));
    set(&s, &Scope::Platform).await;
    let of = async |scope: &Scope| {
        let found = s.release.release_of(pa.id.clone(), scope.clone(), "KEY".into()).await;
        let seen = s.release.peek_of(pa.id.clone(), scope.clone(), "KEY".into()).await;
        let (found, seen) = (found.unwrap(), seen.unwrap());
        assert_eq!(found.is_some(), seen.is_some());
        found.is_some()
    };
    // The platform's own key of that name is not given to whoever binds the name.
    assert!(!of(&mine).await && !of(&its).await);
    set(&s, &mine).await;
    assert!(of(&mine).await && !of(&its).await);
    let other = smartbox(&me.id, "other", 1);
    let id = other.id.clone();
    write!(s.store, |tx| tx.boxes().add(other).await).unwrap();
    set(&s, &Scope::Smartbox(id.clone())).await;
    assert!(!of(&Scope::Smartbox(id)).await, "another box's is not this one's");
}
