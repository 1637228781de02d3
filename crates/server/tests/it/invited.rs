//! Somebody who was written down by an address comes: with it, and by nothing less.

use smartbox_core::id::PersonId;
use smartbox_core::person::{Identity, Person, Role};
use smartbox_core::store;
use smartbox_server::access::{Arrival, Caller, Gift, PersonChange, Unfit, Whom};

use crate::sign_in::{ada, crew};
use crate::world::World;

/// Ada, whom an owner made a member by her address before she ever came.
async fn invited(world: &World) -> Person {
    let owner = Caller::owner(world.app.account.id.clone(), "test".into());
    let whom = Whom::parse(" Ada@Example.com ").unwrap();
    let gift = Gift::Role(Some(Role::Member));
    world.app.access.give(&owner, &owner.account, whom, gift).await.unwrap().unwrap()
}

async fn arrival(world: &World, who: &Identity) -> Arrival {
    world.app.access.arrive(who, &[], &world.app.account.id).await.unwrap()
}

fn who(arrival: Arrival) -> PersonId {
    let Arrival::In(caller) = arrival else { panic!("{arrival:?}") };
    caller.person.unwrap()
}

#[tokio::test]
async fn whoever_was_written_down_by_an_address_is_who_comes_with_it() {
    let world = World::new().await;
    let person = invited(&world).await;
    let mixed = Identity { email: Some("Ada@Example.Com".into()), ..ada(&[]) };
    let Arrival::In(caller) = arrival(&world, &mixed).await else { panic!("she is let in") };
    assert_eq!(caller.person, Some(person.id.clone()));
    assert_eq!(caller.right, Some(Role::Member.right()));
    // Whatever her address is later.
    let moved = Identity { email: Some("ada@elsewhere.example".into()), ..ada(&[]) };
    assert_eq!(who(arrival(&world, &moved).await), person.id);
    let account = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 1000).await })
    });
    let acts = acts.await.unwrap();
    let arrivals = acts.iter().filter(|entry| entry.act.action == "person.arrive");
    let issuers: Vec<_> = arrivals.map(|entry| entry.act.detail.as_str()).collect();
    assert_eq!(issuers, ["https://id.example"]);
}

#[tokio::test]
async fn an_address_lets_nobody_in_to_whom_it_was_not_given() {
    let world = World::new().await;
    let person = invited(&world).await;
    let unsure = Identity { email_verified: false, ..ada(&[]) };
    let program = Identity { service: true, ..ada(&[]) };
    let other = Identity { email: Some("ada@example.com.evil.example".into()), ..ada(&[]) };
    let mute = Identity { email: None, ..ada(&[]) };
    for stranger in [unsure, program, other, mute] {
        let came = arrival(&world, &stranger).await;
        assert!(matches!(came, Arrival::Stranger), "{stranger:?} {came:?}");
    }
    assert_eq!(who(arrival(&world, &ada(&[])).await), person.id);
    // She left the firm, and her address was given to somebody else; or another issuer says that it is hers.
    let heir = Identity { subject: "2".into(), ..ada(&[]) };
    let elsewhere = Identity { issuer: "https://other.example".into(), ..ada(&[]) };
    for stranger in [heir, elsewhere] {
        let came = arrival(&world, &stranger).await;
        assert!(matches!(came, Arrival::Stranger), "{came:?}");
    }
}

#[tokio::test]
async fn whoever_is_shut_out_before_they_come_stays_out() {
    let world = World::new().await;
    let person = invited(&world).await;
    let operator = Caller::operator(world.app.account.id.clone(), "test".into());
    let change = PersonChange { disabled: Some(true), ..PersonChange::default() };
    let whom = Whom::Id(person.id);
    world.app.access.change_person(&operator, whom, change).await.unwrap().unwrap();
    let came = arrival(&world, &ada(&[])).await;
    assert!(matches!(came, Arrival::ShutOut), "{came:?}");
}

#[tokio::test]
async fn of_several_with_one_address_nobody_is_taken_for_another() {
    let world = World::new().await;
    let first = invited(&world).await;
    assert_eq!(who(arrival(&world, &ada(&[])).await), first.id);
    // By another provider a rule lets her in; she is another one there.
    let elsewhere = Identity { issuer: "https://other.example".into(), ..ada(&["crew"]) };
    let rules = crew(Role::Viewer);
    let app = &world.app;
    let second = who(app.access.arrive(&elsewhere, &rules, &app.account.id).await.unwrap());
    assert_ne!(second, first.id);
    let operator = Caller::operator(app.account.id.clone(), "test".into());
    let whom = Whom::parse("ada@example.com").unwrap();
    let change = PersonChange { disabled: Some(true), ..PersonChange::default() };
    let disabled = app.access.change_person(&operator, whom.clone(), change).await.unwrap();
    assert_eq!(disabled.unwrap_err(), Unfit::Several);
    let removed = app.access.remove_person(&operator, whom.clone()).await.unwrap();
    assert_eq!(removed.unwrap_err(), Unfit::Several);
    // What is taken is taken from whoever has it.
    let take = || Gift::Role(None);
    let (by, me) = (&operator, &app.account.id);
    for _ in 0..2 {
        app.access.give(by, me, whom.clone(), take()).await.unwrap().unwrap();
    }
    assert!(app.access.give(by, me, whom, take()).await.is_err(), "nobody has it any more");
}
