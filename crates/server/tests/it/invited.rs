//! Somebody who was written down by an address comes: with it, and by nothing less.

use smartbox_core::id::PersonId;
use smartbox_core::person::{Identity, Person, Role};
use smartbox_core::store;
use smartbox_server::access::{Arrival, Caller, Gift, PersonChange, Whom};

use crate::sign_in::ada;
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
    // By another provider she is the same; and by the first still, whatever her address is then.
    let elsewhere = Identity { issuer: "https://other.example".into(), ..ada(&[]) };
    assert_eq!(who(arrival(&world, &elsewhere).await), person.id);
    let moved = Identity { email: Some("ada@elsewhere.example".into()), ..ada(&[]) };
    assert_eq!(who(arrival(&world, &moved).await), person.id);
    let account = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 1000).await })
    });
    let acts = acts.await.unwrap();
    let arrivals = acts.iter().filter(|entry| entry.act.action == "person.arrive");
    let issuers: Vec<_> = arrivals.map(|entry| entry.act.detail.as_str()).collect();
    assert_eq!(issuers, ["https://id.example", "https://other.example"]);
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
    // She left the firm, and her address was given to somebody else.
    let heir = Identity { subject: "2".into(), ..ada(&[]) };
    let came = arrival(&world, &heir).await;
    assert!(matches!(came, Arrival::Stranger), "{came:?}");
    // Whom the operator shut out is not let in by another provider.
    let operator = Caller::operator(world.app.account.id.clone(), "test".into());
    let change = PersonChange { disabled: Some(true), ..PersonChange::default() };
    let whom = Whom::Id(person.id);
    world.app.access.change_person(&operator, whom, change).await.unwrap().unwrap();
    let elsewhere = Identity { issuer: "https://other.example".into(), ..ada(&[]) };
    let came = arrival(&world, &elsewhere).await;
    assert!(matches!(came, Arrival::ShutOut), "{came:?}");
}
