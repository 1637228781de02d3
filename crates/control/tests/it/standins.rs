//! Secrets by placeholder: who holds what, whose value counts, and what programs see.

use smartbox_control::{Actor, ControlError};
use smartbox_core::egress::port::Rules;
use smartbox_core::egress::{Binding, Bound, Place, Rule, Shape, Standins};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::smartbox::Desired;

use crate::world::{World, actor};

fn bound(host: &str, shape: &str) -> Bound {
    let to = Rule::parse(host).unwrap();
    let places = vec![Place::BasicPassword];
    let binding = Binding { secret: "KEY".into(), to, places, in_clear: false };
    Bound { shape: Shape::parse(shape).unwrap(), bindings: vec![binding] }
}

impl World {
    async fn secret(&self, scope: Scope, value: &str) {
        let value = Secret::new(value.to_owned());
        let work = self.control.change_secrets(
            move |tx| Box::pin(async move { tx.secrets().set(scope, "KEY".into(), value).await }),
            |_| true,
        );
        work.await.unwrap();
    }

    async fn bind(&self, scope: Scope, bound: Bound) -> Result<(), ControlError> {
        self.bind_as("KEY", scope, bound).await
    }

    async fn bind_as(&self, name: &str, scope: Scope, bound: Bound) -> Result<(), ControlError> {
        let (who, account): (Actor, _) =
            (actor(), self.control.ensure_account("me").await.unwrap());
        self.control.bind_secret(&who, &account.id, (scope, name.to_owned()), bound).await
    }

    async fn holds(&self, id: &SmartboxId) -> std::sync::Arc<Standins> {
        self.book.standing(id).await.unwrap().standins
    }
}

#[tokio::test(start_paused = true)]
async fn each_box_of_an_account_holds_another_stand_in_for_the_same_secret() {
    let world = World::new().await;
    let (one, two) =
        (world.new_box("one", Desired::Auto).await, world.new_box("two", Desired::Auto).await);
    let mine = Scope::Account(one.account.clone());
    assert!(matches!(
        world.bind(mine.clone(), bound("a.test", "plain")).await,
        Err(ControlError::Missing { what: "secret" })
    ));
    world.secret(mine.clone(), "value").await;
    assert!(world.holds(&one.id).await.held.is_empty(), "a secret that is not bound is nowhere");
    world.bind(mine.clone(), bound("a.test", "github")).await.unwrap();
    let (first, second) = (world.holds(&one.id).await, world.holds(&two.id).await);
    assert_eq!((first.held.len(), second.held.len()), (1, 1));
    assert_ne!(first.held[0].placeholder, second.held[0].placeholder);
    assert!(first.held[0].placeholder.as_str().starts_with("ghp_"));
    assert_eq!(first.scopes["KEY"], mine);
    // It stays the same when the value or the hosts change, and not when its look does.
    world.secret(mine.clone(), "another").await;
    world.bind(mine.clone(), bound("b.test", "github")).await.unwrap();
    assert_eq!(world.holds(&one.id).await.held, first.held);
    assert_eq!(world.holds(&one.id).await.bindings[0].to, Rule::parse("b.test").unwrap());
    world.bind(mine, bound("b.test", "hex")).await.unwrap();
    assert_ne!(world.holds(&one.id).await.held, first.held);
}

#[tokio::test(start_paused = true)]
async fn the_nearest_secret_counts_and_another_ones_binding_is_not_for_it() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let (mine, its) = (Scope::Account(row.account.clone()), Scope::Smartbox(row.id.clone()));
    world.secret(mine.clone(), "account's").await;
    world.bind(mine.clone(), bound("a.test", "plain")).await.unwrap();
    assert_eq!(world.holds(&row.id).await.scopes["KEY"], mine);
    world.secret(its.clone(), "its own").await;
    assert!(world.holds(&row.id).await.held.is_empty(), "its own is not bound to a.test");
    world.bind(its.clone(), bound("b.test", "plain")).await.unwrap();
    let holds = world.holds(&row.id).await;
    assert_eq!(holds.scopes["KEY"], its);
    assert_eq!(holds.bindings, bound("b.test", "plain").bindings);
}

#[tokio::test(start_paused = true)]
async fn what_is_unbound_or_forgotten_is_held_no_more() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let its = Scope::Smartbox(row.id.clone());
    world.secret(its.clone(), "value").await;
    world.bind(its.clone(), bound("a.test", "plain")).await.unwrap();
    let held = world.holds(&row.id).await.held.clone();
    let unbind =
        || world.control.unbind_secret(&ACTOR, &row.account, (its.clone(), "KEY".to_owned()));
    unbind().await.unwrap();
    assert!(world.holds(&row.id).await.held.is_empty());
    assert!(matches!(unbind().await, Err(ControlError::Missing { .. })));
    // Bound again it is the one that programs still have.
    world.bind(its.clone(), bound("a.test", "plain")).await.unwrap();
    assert_eq!(world.holds(&row.id).await.held, held);
}

static ACTOR: std::sync::LazyLock<Actor> = std::sync::LazyLock::new(actor);

#[tokio::test(start_paused = true)]
async fn two_that_ask_at_once_are_told_the_same() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let its = Scope::Smartbox(row.id.clone());
    world.secret(its.clone(), "value").await;
    world.bind(its, bound("a.test", "plain")).await.unwrap();
    let (one, two) = tokio::join!(world.holds(&row.id), world.holds(&row.id));
    assert_eq!(one.held, two.held);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_programs_read_for_something_else_is_refused() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let its = Scope::Smartbox(row.id.clone());
    for name in ["PATH", "LD_PRELOAD", "HTTPS_PROXY", "OPENCLAW_GATEWAY_TOKEN"] {
        let refused = world.bind_as(name, its.clone(), bound("a.test", "plain")).await;
        assert!(matches!(refused, Err(ControlError::Refused { .. })), "{name}");
    }
    let anywhere = world.bind(its, bound("*", "plain")).await;
    assert!(matches!(anywhere, Err(ControlError::Refused { .. })));
}

#[tokio::test(start_paused = true)]
async fn who_unbinds_and_leaves_has_unbound() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let its = Scope::Smartbox(row.id.clone());
    world.secret(its.clone(), "value").await;
    world.bind(its.clone(), bound("a.test", "plain")).await.unwrap();
    assert_eq!(world.holds(&row.id).await.held.len(), 1);
    let what = (its, "KEY".to_owned());
    let mut unbind = Box::pin(world.control.unbind_secret(&ACTOR, &row.account, what));
    assert!(futures_util::poll!(&mut unbind).is_pending());
    drop(unbind);
    let version = world.book.standing(&row.id).await.unwrap().version;
    world.book.changed(row.id.clone(), version).await;
    assert!(world.holds(&row.id).await.held.is_empty());
}

#[tokio::test(start_paused = true)]
async fn so_many_secrets_are_bound_and_no_more() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let its = Scope::Smartbox(row.id.clone());
    for n in 0..=32 {
        let name = format!("KEY{n}");
        let (scope, kept) = (its.clone(), name.clone());
        let value = Secret::new("value".to_owned());
        let set = world.control.change_secrets(
            move |tx| Box::pin(async move { tx.secrets().set(scope, kept, value).await }),
            |_| true,
        );
        set.await.unwrap();
        let mut new = bound("a.test", "plain");
        new.bindings[0].secret.clone_from(&name);
        let done = world.bind_as(&name, its.clone(), new).await;
        assert_eq!(done.is_ok(), n < 32, "{n}");
    }
}
