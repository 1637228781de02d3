//! What every driver of the port does, however many control planes it counts for. The suite asks by two
//! handles in turn: with counts in memory both are the same, with shared ones each is a control plane's
//! own, and all that is said here has to hold over both together.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use smartbox_core::limit::port::Meter;
use smartbox_core::limit::{Class, Client, Key, Patience, Rate, Rates};
use tokio::time::advance;

type Handle = Arc<dyn Meter>;

/// Runs all of it; time stands still, and is moved.
pub(super) async fn conforms(make: impl Fn(Rates) -> [Handle; 2]) {
    a_budget_is_one_whoever_is_asked(&make).await;
    keys_and_classes_are_apart(&make).await;
    a_refusal_costs_nothing_and_its_time_is_true(&make).await;
    those_who_ask_at_once_share_a_budget(&make).await;
    wrong_ones_are_remembered_everywhere(&make).await;
    what_is_over_is_forgotten(&make).await;
    no_limit_is_none(&make).await;
}

fn client(n: u32) -> Client {
    IpAddr::from(Ipv4Addr::from_bits(n)).into()
}

fn principal(name: &str) -> Key {
    Key::Principal("acc_00000000000000000000".parse().unwrap(), name.to_owned())
}

fn rates() -> Rates {
    let patience = Patience {
        free: 2,
        first: Duration::from_secs(10),
        most: Duration::from_secs(60),
        forget: Duration::from_secs(600),
    };
    Rates::NONE
        .patient(patience)
        .with(Class::Knock, Rate::parse("1/s", 6).ok())
        .with(Class::Read, Rate::parse("1/min", 4).ok())
        .with(Class::Guess, Rate::parse("1/min", 8).ok())
}

/// How many of so many pass, the handles taking turns.
async fn pass(handles: &[Handle; 2], class: Class, key: &Key, times: usize) -> usize {
    let mut passed = 0;
    for n in 0..times {
        passed += usize::from(handles[n % 2].take(class, key.clone()).await.is_ok());
    }
    passed
}

async fn a_budget_is_one_whoever_is_asked(make: &impl Fn(Rates) -> [Handle; 2]) {
    let handles = make(rates());
    let one = Key::Client(client(1));
    assert_eq!(pass(&handles, Class::Knock, &one, 20).await, 6, "a full budget, and not two");
    advance(Duration::from_secs(3)).await;
    assert_eq!(pass(&handles, Class::Knock, &one, 20).await, 3, "what has flowed back");
}

async fn keys_and_classes_are_apart(make: &impl Fn(Rates) -> [Handle; 2]) {
    let handles = make(rates());
    for key in
        [Key::Client(client(1)), Key::Client(client(2)), principal("a"), principal("b"), Key::All]
    {
        assert_eq!(pass(&handles, Class::Knock, &key, 9).await, 6, "{key:?}");
        assert_eq!(pass(&handles, Class::Read, &key, 9).await, 4, "{key:?}");
    }
}

async fn a_refusal_costs_nothing_and_its_time_is_true(make: &impl Fn(Rates) -> [Handle; 2]) {
    let handles = make(rates());
    let key = principal("a");
    assert_eq!(pass(&handles, Class::Read, &key, 4).await, 4);
    let wait = handles[0].take(Class::Read, key.clone()).await.unwrap_err();
    assert_eq!(pass(&handles, Class::Read, &key, 100).await, 0);
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(60), "{wait:?}");
    advance(wait).await;
    assert_eq!(pass(&handles, Class::Read, &key, 2).await, 1, "after the time that was said");
}

async fn those_who_ask_at_once_share_a_budget(make: &impl Fn(Rates) -> [Handle; 2]) {
    let handles = make(rates());
    let asking: Vec<_> = (0..64)
        .map(|n| {
            let handle = handles[n % 2].clone();
            tokio::spawn(async move { handle.take(Class::Knock, Key::All).await.is_ok() })
        })
        .collect();
    let mut passed = 0;
    for asked in asking {
        passed += usize::from(asked.await.unwrap());
    }
    assert_eq!(passed, 6);
}

async fn wrong_ones_are_remembered_everywhere(make: &impl Fn(Rates) -> [Handle; 2]) {
    let [one, two] = make(rates());
    for handle in [&one, &two] {
        handle.strike(Key::Client(client(1))).await;
        assert_eq!(handle.barred(Key::Client(client(1))).await, None, "a few are borne");
    }
    one.strike(Key::Client(client(1))).await;
    for handle in [&one, &two] {
        let wait = handle.barred(Key::Client(client(1))).await.expect("the third costs");
        assert!(wait <= Duration::from_secs(10), "{wait:?}");
        assert_eq!(handle.barred(Key::Client(client(2))).await, None, "and nobody else");
    }
    advance(Duration::from_secs(10)).await;
    assert_eq!(two.barred(Key::Client(client(1))).await, None);
    two.strike(Key::Client(client(1))).await;
    let wait = one.barred(Key::Client(client(1))).await.expect("the fourth costs twice as much");
    assert!(wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
    // Many with one wrong one each use up everybody's: the first of each costs then.
    for n in 100..120 {
        one.strike(Key::Client(client(n))).await;
    }
    assert!(two.barred(Key::Client(client(105))).await.is_some());
    assert_eq!(
        two.barred(Key::Client(client(7))).await,
        None,
        "who guessed nothing waits for nothing"
    );
}

async fn what_is_over_is_forgotten(make: &impl Fn(Rates) -> [Handle; 2]) {
    let [one, two] = make(rates());
    for _ in 0..10 {
        one.strike(Key::Client(client(1))).await;
    }
    assert!(
        two.barred(Key::Client(client(1)))
            .await
            .is_some_and(|wait| wait <= Duration::from_secs(60))
    );
    advance(Duration::from_secs(600)).await;
    two.strike(Key::Client(client(1))).await;
    assert_eq!(one.barred(Key::Client(client(1))).await, None);
}

async fn no_limit_is_none(make: &impl Fn(Rates) -> [Handle; 2]) {
    let handles = make(Rates::NONE);
    for class in Class::ALL {
        assert_eq!(pass(&handles, class, &Key::All, 1000).await, 1000);
    }
    for _ in 0..1000 {
        handles[0].strike(Key::Client(client(1))).await;
    }
    assert_eq!(handles[1].barred(Key::Client(client(1))).await, None);
}
