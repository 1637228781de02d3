use super::*;

const T: Timestamp = Timestamp(1_000_000);

fn asking(key: u8, requested: Right) -> Asking {
    let key = PublicKey([key; 32]);
    Asking {
        id: DeviceId::of(&key),
        key: Some(key),
        kind: Kind::Cli,
        account: "acc_00000000000000000001".parse().ok(),
        smartbox: None,
        person: None,
        name: "laptop".into(),
        platform: "linux".into(),
        address: "192.0.2.1".into(),
        requested,
        user_code: "u".into(),
        device_code: "d".into(),
        nonce: "n".into(),
    }
}

fn new(requested: Right) -> Device {
    Device::asking(None, asking(1, requested), &Waiting::default(), T).unwrap()
}

const OWNER: (Right, &str, Option<PersonId>) = (Right::Own, "owner", None);

fn later(secs: u64) -> Timestamp {
    T.plus(Duration::from_secs(secs))
}

#[test]
fn what_is_asked_for_is_not_what_is_given() {
    let mut device = new(Right::Own);
    assert_eq!((device.state, device.granted), (State::Pending, None));
    assert_eq!(device.approve(Right::Own, (Right::Manage, "x", None), T), Err(Undecided::TooMuch));
    assert_eq!((device.state, device.granted), (State::Pending, None), "nothing came of it");
    device.approve(Right::Chat, (Right::Manage, "x", None), T).unwrap();
    assert_eq!((device.state, device.granted), (State::Approved, Some(Right::Chat)));
    let mut modest = new(Right::Read);
    assert_eq!(modest.approve(Right::Chat, OWNER, T), Err(Undecided::TooMuch), "nor more than it");
}

#[test]
fn an_approval_that_is_replayed_does_nothing() {
    let mut device = new(Right::Chat);
    device.approve(Right::Read, OWNER, T).unwrap();
    let once = device.clone();
    assert_eq!(device.approve(Right::Chat, OWNER, T), Err(Undecided::Already));
    assert_eq!(device.reject("y", T), Err(Undecided::Already));
    assert_eq!(device, once);
    assert_eq!(device.poll(T), Poll::Granted);
    assert_eq!(device.poll(T), Poll::Expired, "what is granted is fetched once");
    assert_eq!(device.approve(Right::Chat, OWNER, T), Err(Undecided::Over));
    assert_eq!(device.granted, Some(Right::Read));
}

#[test]
fn nobody_decides_too_late() {
    let mut device = new(Right::Chat);
    let end = T.plus(LASTS);
    assert!(device.waits(Timestamp(end.0 - 1)) && !device.waits(end));
    assert_eq!(device.approve(Right::Chat, OWNER, end), Err(Undecided::Over));
    assert_eq!(device.reject("x", end), Err(Undecided::Over));
    assert_eq!(device.poll(end), Poll::Expired);
    // One that was let in and fetched it too late has what it was given, and asks again.
    let mut device = new(Right::Chat);
    device.approve(Right::Chat, OWNER, T).unwrap();
    assert_eq!(device.poll(end), Poll::Expired);
    let again = Device::asking(Some(device), asking(1, Right::Chat), &Waiting::default(), end);
    assert_eq!(again.unwrap().poll(end), Poll::Granted);
}

#[test]
fn whoever_asks_too_often_waits_longer_each_time() {
    let mut device = new(Right::Chat);
    assert_eq!(device.poll(T), Poll::Pending);
    assert_eq!(device.poll(later(4)), Poll::SlowDown);
    assert_eq!(device.poll(later(13)), Poll::SlowDown, "ten seconds by now");
    assert_eq!(device.poll(later(28)), Poll::Pending, "fifteen");
}

#[test]
fn more_than_it_has_is_a_new_question_and_takes_nothing_away() {
    let mut device = new(Right::Read);
    device.approve(Right::Read, OWNER, T).unwrap();
    assert_eq!(device.poll(T), Poll::Granted);
    let wider = Device::asking(Some(device), asking(1, Right::Own), &Waiting::default(), T);
    let mut wider = wider.unwrap();
    assert_eq!((wider.state, wider.granted), (State::Approved, Some(Right::Read)));
    assert_eq!(wider.poll(T), Poll::Pending);
    wider.reject("x", T).unwrap();
    assert_eq!(wider.poll(T), Poll::Denied);
    assert_eq!((wider.state, wider.granted), (State::Approved, Some(Right::Read)));
}

#[test]
fn one_that_was_shut_out_begins_again_with_nothing() {
    let mut device = new(Right::Own);
    device.approve(Right::Own, OWNER, T).unwrap();
    assert!(device.revoke("x", T) && !device.revoke("x", T));
    assert_eq!((device.state, device.granted, &device.ask), (State::Revoked, None, &None));
    let again = Device::asking(Some(device), asking(1, Right::Read), &Waiting::default(), T);
    let mut again = again.unwrap();
    assert_eq!((again.state, again.granted), (State::Pending, None));
    assert_eq!(again.poll(T), Poll::Pending);
}

#[test]
fn one_that_stayed_away_for_too_long_begins_again() {
    let mut device = new(Right::Chat);
    assert_eq!(device.expires(), None, "it is not let in yet");
    device.approve(Right::Chat, OWNER, T).unwrap();
    assert_eq!(device.expires(), Some(T.plus(IDLE)), "nor has it come yet");
    let came = later(60);
    device.seen = Some(came);
    let end = came.plus(IDLE);
    assert_eq!(device.expires(), Some(end));
    assert!(!device.is_forgotten(Timestamp(end.0 - 1)) && device.is_forgotten(end));
    let ask = |at| {
        let again = Some(device.clone());
        Device::asking(again, asking(1, Right::Chat), &Waiting::default(), at).unwrap()
    };
    assert_eq!(ask(Timestamp(end.0 - 1)).poll(end), Poll::Granted);
    let mut again = ask(end);
    assert_eq!(
        (again.state, again.granted, again.poll(end)),
        (State::Pending, None, Poll::Pending)
    );
    // What comes by no token has other ends.
    let browser = Device { kind: Kind::Browser, ..device };
    assert!(browser.expires().is_none() && !browser.is_forgotten(end));
}

#[test]
fn a_key_that_is_let_in_is_let_in_to_one_thing() {
    let mut device = new(Right::Own);
    device.approve(Right::Own, OWNER, T).unwrap();
    for other in ["acc_00000000000000000002".parse().ok(), None] {
        let new = Asking { account: other, ..asking(1, Right::Read) };
        let moved = Device::asking(Some(device.clone()), new, &Waiting::default(), T);
        assert_eq!(moved.unwrap_err(), Refusal::Elsewhere);
    }
    let smartbox = "box_00000000000000000001".parse().ok();
    let new = Asking { smartbox, ..asking(1, Right::Read) };
    let moved = Device::asking(Some(device), new, &Waiting::default(), T);
    assert_eq!(moved.unwrap_err(), Refusal::Elsewhere);
}

#[test]
fn a_flood_of_one_client_finds_no_place() {
    let full = Waiting { client: MOST.client, ..Waiting::default() };
    let refused = Device::asking(None, asking(1, Right::Read), &full, T);
    assert_eq!(refused.unwrap_err(), Refusal::Full);
    // One that is let in gets what it has, flood or not.
    let mut device = new(Right::Chat);
    device.approve(Right::Chat, OWNER, T).unwrap();
    let ask = |right| Device::asking(Some(device.clone()), asking(1, right), &full, T);
    assert_eq!(ask(Right::Chat).unwrap().poll(T), Poll::Granted);
    assert_eq!(ask(Right::Own).unwrap_err(), Refusal::Full);
}

fn place(n: u32, address: &str) -> Place {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&n.to_be_bytes());
    Place {
        id: DeviceId::of(&PublicKey(key)),
        account: "acc_00000000000000000001".parse().ok(),
        name: "laptop".into(),
        address: address.into(),
        at: later(n.into()),
    }
}

#[test]
fn a_browser_stays_in_the_hands_of_whoever_signed_in_with_it() {
    let [ann, bob]: [Option<PersonId>; 2] =
        ["per_00000000000000000001", "per_00000000000000000002"].map(|id| id.parse().ok());
    let browser = |person| Asking { kind: Kind::Browser, person, ..asking(1, Right::Chat) };
    let ask = |before, new| Device::asking(before, new, &Waiting::default(), T);
    let mut device = ask(None, browser(ann.clone())).unwrap();
    device.approve(Right::Chat, (Right::Own, "bob", bob.clone()), T).unwrap();
    assert_eq!(device.person, ann, "whoever lets it in does not become its owner");
    let others = [browser(bob), browser(None), Asking { person: ann, ..asking(1, Right::Chat) }];
    for other in others {
        let moved = ask(Some(device.clone()), other);
        assert_eq!(moved.unwrap_err(), Refusal::Elsewhere);
    }
}

#[test]
fn an_account_whose_places_are_taken_has_one_for_whoever_else_asks() {
    let mut taken: Vec<_> = (0..3).map(|n| place(n, "198.51.100.1")).collect();
    taken.extend((3..8).map(|n| place(n, &format!("2001:db8::{n}"))));
    taken.extend((8..20).map(|n| place(n, &format!("203.0.113.{n}"))));
    let ask = |address: &str| {
        let new = Asking { address: address.into(), ..asking(9, Right::Chat) };
        Waiting::among(taken.clone(), &new)
    };
    let found = ask("192.0.2.1");
    assert_eq!((found.client, &found.give_way[..]), (0, &[taken[3].id.clone()][..]));
    assert!(Device::asking(None, asking(9, Right::Chat), &found, T).is_ok());
    // A network of addresses is one client, and pushes out its own.
    let found = ask("2001:db8::ffff");
    assert_eq!((found.client, &found.give_way[..]), (5, &[taken[3].id.clone()][..]));
    assert_eq!(ask("198.51.100.1").client, 3);
    // Each has one: the oldest goes.
    let each: Vec<_> = (0..20).map(|n| place(n, &format!("203.0.113.{n}"))).collect();
    let found = Waiting::among(each.clone(), &asking(9, Right::Chat));
    assert_eq!(found.give_way, [each[0].id.clone()]);
}

#[test]
fn places_are_of_one_account_and_a_device_has_one() {
    let full: Vec<_> = (0..20).map(|n| place(n, &format!("203.0.113.{n}"))).collect();
    let other =
        Asking { account: "acc_00000000000000000002".parse().ok(), ..asking(9, Right::Chat) };
    assert_eq!(Waiting::among(full.clone(), &other), Waiting::default());
    let again = Asking { id: full[7].id.clone(), ..asking(9, Right::Chat) };
    assert_eq!(Waiting::among(full.clone(), &again), Waiting::default());
    // What is not there has places by its name, so that nobody learns by them that it is not.
    let nowhere =
        |name: &str| Asking { account: None, name: name.into(), ..asking(9, Right::Chat) };
    let none: Vec<_> = full.iter().map(|place| Place { account: None, ..place.clone() }).collect();
    assert_eq!(Waiting::among(none.clone(), &nowhere("other")), Waiting::default());
    assert_eq!(Waiting::among(none, &nowhere("laptop")).give_way, [full[0].id.clone()]);
}

#[test]
fn all_the_places_together_are_bounded_and_nobody_is_refused_for_it() {
    let account = |n: u32| format!("acc_{n:020}").parse().ok();
    let mut all: Vec<_> =
        (0..1000).map(|n| place(n, &format!("10.0.{}.{}", n / 200, n % 200))).collect();
    for (n, place) in (2..).zip(&mut all) {
        place.account = account(n / 10);
    }
    all[500].address = all[900].address.clone();
    let found = Waiting::among(all.clone(), &asking(9, Right::Chat));
    assert_eq!((found.client, found.give_way), (0, vec![all[500].id.clone()]));
}

#[test]
fn what_gives_way_is_told_so_and_keeps_what_it_has() {
    let mut device = new(Right::Read);
    device.gives_way(T);
    assert!(!device.waits(T));
    assert_eq!(device.poll(T), Poll::Expired);
    let mut device = new(Right::Read);
    device.approve(Right::Read, OWNER, T).unwrap();
    device.gives_way(T);
    assert_eq!(device.poll(T), Poll::Granted, "it waits for nobody");
}
