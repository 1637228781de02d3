//! Whoever is shut out is so whatever becomes of who shut them out, and nobody else is.

use futures_util::FutureExt as _;
use http::Method;
use smartbox_core::person::Role;
use smartbox_server::access::{Caller, PersonChange, Whom};

use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::World;

fn value(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}

#[tokio::test]
async fn who_asked_may_be_gone_before_it_is_done() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let guest = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    let access = &world.app.access;
    let seat = async || access.seat(value(&guest.cookie), None).await.unwrap();
    assert!(seat().await.is_some(), "and now it is remembered");
    let mut ended = access.ended();
    ended.mark_unchanged();
    let operator = Caller::operator(world.app.account.id.clone(), "test".into());
    let change = PersonChange { disabled: Some(true), ..PersonChange::default() };
    let shutting = access.change_person(&operator, Whom::Id(guest.id.clone()), change);
    // The connection breaks as soon as the work has begun.
    assert!(shutting.now_or_never().is_none());
    ended.changed().await.unwrap();
    assert!(seat().await.is_none());
}

#[tokio::test]
async fn nobody_is_signed_out_by_what_becomes_of_others() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let guest = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    let app = world.app.clone();
    let forgetting = tokio::spawn(async move {
        loop {
            app.access.forget();
            tokio::task::yield_now().await;
        }
    });
    for _ in 0..500 {
        let seat = world.app.access.seat(value(&guest.cookie), None).await.unwrap();
        assert!(seat.is_some());
    }
    forgetting.abort();
}

#[tokio::test]
async fn whoever_came_by_a_link_is_signed_out_with_the_tokens() {
    let world = World::new().await;
    let mine = world.sign_in().await;
    let stolen = world.sign_in().await;
    let ann = Tenant::new(&world, "ann").await;
    let guest = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    let ask = async |method: Method, cookie: &str, path: &str| {
        let asked = world.ask(method, path).header("origin", world.origin());
        asked.header("cookie", cookie).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(Method::GET, &stolen, "/api/v1/boxes").await, 200);
    assert_eq!(ask(Method::DELETE, &mine, "/api/v1/tokens").await, 204);
    assert_eq!(ask(Method::GET, &stolen, "/api/v1/boxes").await, 401);
    assert_eq!(ask(Method::GET, &mine, "/api/v1/boxes").await, 200);
    assert_eq!(ask(Method::GET, &guest.cookie, "/api/v1/boxes").await, 200, "another account's");
}
