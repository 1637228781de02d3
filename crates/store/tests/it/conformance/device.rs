use std::time::Duration;

use smartbox_core::device::{
    Asking, Device, DeviceId, FORGOTTEN, IDLE, Kind, LASTS, Place, PublicKey, State, Waiting,
};
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::session::Root;
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{
    Subject, T0, account, exists, missing, person, session, smartbox, token, with_box,
};
use crate::{read, write};

over_every_driver!(
    devices_come_back_and_are_found_by_their_codes,
    those_that_wait_are_told,
    what_hangs_on_a_device_ends_when_it_is_let_in_no_more,
    nothing_hangs_on_a_device_that_is_not_there,
    codes_are_unique_and_owners_are_needed,
    requests_that_are_over_are_forgotten,
    a_browser_without_a_key_is_forgotten_with_its_session,
    what_hangs_on_a_device_that_waits_waits_too,
    those_that_stayed_away_are_shut_out_with_what_hangs_on_them,
    a_device_goes_with_what_it_is_of,
    a_device_ends_with_what_let_it_in,
    what_stayed_away_leaves_those_that_it_let_in_to_what_let_it_in,
);

fn device(account: Option<&AccountId>, key: u8, at: Timestamp) -> Device {
    let key = PublicKey([key; 32]);
    let asking = Asking {
        id: DeviceId::of(&key),
        key: Some(key),
        kind: Kind::Cli,
        account: account.cloned(),
        smartbox: None,
        person: None,
        name: "laptop".into(),
        platform: "linux".into(),
        address: format!("192.0.2.{}", key.0[0] % 2),
        requested: Right::Chat,
        user_code: format!("u{}", key.0[0]),
        device_code: format!("d{}", key.0[0]),
        nonce: "n".into(),
    };
    Device::asking(None, asking, &Waiting::default(), at).unwrap()
}

fn approved(account: &AccountId, key: u8) -> Device {
    let mut device = device(Some(account), key, T0);
    device.approve(Right::Chat, (Right::Own, "owner", None), T0).unwrap();
    device
}

async fn put(s: &Subject, device: &Device) {
    let device = device.clone();
    write!(s.store, |tx| tx.devices().put(device).await).unwrap();
}

async fn get(s: &Subject, id: &DeviceId) -> Option<Device> {
    let id = id.clone();
    read!(s.store, |tx| tx.devices().get(id).await).unwrap()
}

async fn devices_come_back_and_are_found_by_their_codes(s: Subject) {
    let (owner, pa) = with_box(&*s.store, "pa").await;
    let ann = person("ann");
    let a = ann.clone();
    write!(s.store, |tx| tx.people().add(a).await).unwrap();
    let mut first = device(Some(&owner.id), 1, T0);
    (first.smartbox, first.person) = (Some(pa.id), Some(ann.id));
    let mut second = device(Some(&owner.id), 2, T0.plus(Duration::from_secs(1)));
    second.poll(T0.plus(Duration::from_secs(2)));
    second.seen = Some(T0);
    let nobodys = Device { key: None, ..device(None, 3, T0) };
    for row in [&first, &second, &nobodys] {
        put(&s, row).await;
        assert_eq!(get(&s, &row.id).await.as_ref(), Some(row));
    }
    let found = read!(s.store, |tx| {
        Ok([
            tx.devices().by_user_code("u1".into()).await?.map(|d| d.id),
            tx.devices().by_device_code("d1".into()).await?.map(|d| d.id),
            tx.devices().by_user_code("d1".into()).await?.map(|d| d.id),
            tx.devices().by_device_code(String::new()).await?.map(|d| d.id),
        ])
    });
    assert_eq!(found.unwrap(), [Some(first.id.clone()), Some(first.id.clone()), None, None]);
    first.approve(Right::Read, (Right::Own, "person:x", first.person.clone()), T0).unwrap();
    put(&s, &first).await;
    let (id, later) = (first.id.clone(), T0.plus(Duration::from_secs(9)));
    write!(s.store, |tx| {
        tx.devices().seen(id.clone(), later).await?;
        tx.devices().seen(id, T0).await?;
        tx.devices().seen(DeviceId::of(&PublicKey([9; 32])), T0).await
    })
    .unwrap();
    first.seen = Some(later);
    let me = owner.id.clone();
    let listed = read!(s.store, |tx| tx.devices().list(me).await).unwrap();
    assert_eq!(listed, [second, first], "the newest first, and nobody's are nobody's");
    let other = account("other").id;
    assert!(read!(s.store, |tx| tx.devices().list(other).await).unwrap().is_empty());
}

async fn those_that_wait_are_told(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let waits = [device(Some(&owner.id), 1, T0), device(None, 2, T0)];
    for row in waits.iter().chain(&[approved(&owner.id, 7)]) {
        put(&s, row).await;
    }
    let told = async |now| {
        let mut told = read!(s.store, |tx| tx.devices().waiting(now).await).unwrap();
        told.sort_by_key(|place| waits.iter().position(|row| row.id == place.id));
        told
    };
    let want = waits.each_ref().map(|row| Place {
        id: row.id.clone(),
        account: row.account.clone(),
        name: row.name.clone(),
        address: row.address.clone(),
        at: T0,
    });
    let over = T0.plus(LASTS);
    assert_eq!(told(T0).await, want);
    assert_eq!(told(Timestamp(over.0 - 1)).await, want);
    assert_eq!(told(over).await, []);
}

async fn what_hangs_on_a_device_ends_when_it_is_let_in_no_more(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let soon = T0.plus(Duration::from_secs(9));
    let (mut one, two) = (approved(&owner.id, 1), approved(&owner.id, 2));
    put(&s, &one).await;
    put(&s, &two).await;
    let (mut key, mut open) = (token(&owner.id, "key", None), session(&owner.id, "open", soon));
    (key.root.device, open.root.device) = (Some(one.id.clone()), Some(one.id.clone()));
    let (mut begun, mut other) =
        (session(&owner.id, "begun", soon), token(&owner.id, "other", None));
    begun.root.token = Some(key.id.clone());
    other.root.device = Some(two.id.clone());
    let kept = other.clone();
    write!(s.store, |tx| {
        tx.tokens().add(key).await?;
        tx.tokens().add(other).await?;
        tx.sessions().add(open).await?;
        tx.sessions().add(begun).await
    })
    .unwrap();
    let there = async || {
        let found = read!(s.store, |tx| {
            Ok([
                tx.tokens().find("key".into(), T0).await?.is_some(),
                tx.sessions().find("open".into(), T0).await?.is_some(),
                tx.sessions().find("begun".into(), T0).await?.is_some(),
            ])
        });
        found.unwrap()
    };
    put(&s, &one).await;
    assert_eq!(there().await, [true; 3], "as long as it is let in, what it has stays");
    assert!(one.revoke("owner", T0));
    put(&s, &one).await;
    assert_eq!(there().await, [false; 3]);
    let left = read!(s.store, |tx| tx.tokens().find("other".into(), T0).await).unwrap();
    assert_eq!(left, Some(kept));
}

async fn nothing_hangs_on_a_device_that_is_not_there(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let absent = Some(DeviceId::of(&PublicKey([9; 32])));
    let mut key = token(&owner.id, "key", None);
    key.root.device = absent.clone();
    let mut open = session(&owner.id, "open", T0.plus(Duration::from_secs(9)));
    open.root.device = absent;
    let error = write!(s.store, |tx| tx.tokens().add(key).await).unwrap_err();
    assert!(missing(&error, "account, person, smartbox or root"), "{error}");
    let error = write!(s.store, |tx| tx.sessions().add(open).await).unwrap_err();
    assert!(missing(&error, "account, person, smartbox or root"), "{error}");
}

async fn codes_are_unique_and_owners_are_needed(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    put(&s, &device(Some(&owner.id), 1, T0)).await;
    for same in ["user", "device"] {
        let mut other = device(Some(&owner.id), 2, T0);
        let ask = other.ask.as_mut().unwrap();
        match same {
            "user" => ask.user_code = "u1".into(),
            _ => ask.device_code = "d1".into(),
        }
        let error = write!(s.store, |tx| tx.devices().put(other).await).unwrap_err();
        assert!(exists(&error, "device"), "{error}");
    }
    let gone = smartbox(&owner.id, "gone", 9).id;
    let rows = [
        device(Some(&account("nobody").id), 3, T0),
        Device { smartbox: Some(gone), ..device(Some(&owner.id), 4, T0) },
        Device { person: Some(person("ann").id), ..device(Some(&owner.id), 5, T0) },
    ];
    for row in rows {
        let error = write!(s.store, |tx| tx.devices().put(row).await).unwrap_err();
        assert!(missing(&error, "account, person, smartbox or root"), "{error}");
    }
}

async fn requests_that_are_over_are_forgotten(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let late = T0.plus(Duration::from_secs(1));
    let (old, new) = (device(Some(&owner.id), 1, T0), device(Some(&owner.id), 2, late));
    let (let_in, mut shut) = (approved(&owner.id, 3), approved(&owner.id, 4));
    shut.revoke("owner", T0);
    let mut not_let_in = device(Some(&owner.id), 5, T0);
    not_let_in.reject("owner", T0).unwrap();
    for row in [&old, &new, &let_in, &shut, &not_let_in] {
        put(&s, row).await;
    }
    let over = T0.plus(LASTS);
    assert_eq!(write!(s.store, |tx| tx.devices().sweep(T0).await).unwrap().gone, 0);
    assert_eq!(write!(s.store, |tx| tx.devices().sweep(over).await).unwrap().gone, 2);
    assert_eq!(get(&s, &old.id).await, None);
    assert_eq!(get(&s, &not_let_in.id).await, None);
    assert_eq!(get(&s, &new.id).await, Some(new));
    assert_eq!(get(&s, &let_in.id).await, Some(Device { ask: None, ..let_in }));
    assert_eq!(get(&s, &shut.id).await.map(|d| d.state), Some(State::Revoked));
}

async fn those_that_stayed_away_are_shut_out_with_what_hangs_on_them(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let day = Duration::from_hours(24);
    let away = approved(&owner.id, 1);
    let came = Device { seen: Some(T0.plus(day)), ..approved(&owner.id, 2) };
    let browser = Device { kind: Kind::Browser, ..approved(&owner.id, 3) };
    for row in [&away, &came, &browser] {
        put(&s, row).await;
        let mut key = token(&owner.id, &row.id.as_str()[..8], None);
        key.root.device = Some(row.id.clone());
        write!(s.store, |tx| tx.tokens().add(key).await).unwrap();
    }
    let states = async || {
        let mut states = Vec::new();
        for row in [&away, &came, &browser] {
            let hash = row.id.as_str()[..8].to_owned();
            let token = read!(s.store, |tx| tx.tokens().find(hash, T0).await).unwrap();
            states.push((get(&s, &row.id).await.unwrap().state, token.is_some()));
        }
        states
    };
    let (stays, shut) = ((State::Approved, true), (State::Revoked, false));
    let end = T0.plus(IDLE);
    let before = Timestamp(end.0 - 1);
    let forgotten = async |at| write!(s.store, |tx| tx.devices().sweep(at).await).unwrap().away;
    assert_eq!(forgotten(before).await, []);
    assert_eq!(forgotten(end).await, std::slice::from_ref(&away.id));
    assert_eq!(states().await, [stays; 3], "nobody has said that it is over");
    forget(&s, &away, end).await;
    assert_eq!(states().await, [shut, stays, stays]);
    let row = get(&s, &away.id).await.unwrap();
    assert_eq!((row.granted, row.decided_by.as_deref()), (None, Some(FORGOTTEN)));
    assert_eq!(forgotten(end).await, [], "once");
    assert_eq!(forgotten(end.plus(day)).await, std::slice::from_ref(&came.id));
    forget(&s, &came, end.plus(day)).await;
    assert_eq!(states().await, [shut, shut, stays]);
}

/// Ends one that stayed away.
async fn forget(s: &Subject, device: &Device, at: Timestamp) {
    let mut device = device.clone();
    assert!(device.revoke(FORGOTTEN, at));
    put(s, &device).await;
}

/// A key that hangs on each device, so that it can be seen whether that ends too.
async fn hang(s: &Subject, owner: &AccountId, device: &Device) {
    put(s, device).await;
    let mut key = token(owner, &device.id.as_str()[..8], None);
    key.root.device = Some(device.id.clone());
    write!(s.store, |tx| tx.tokens().add(key).await).unwrap();
}

async fn a_device_ends_with_what_let_it_in(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let by = |device: &Device, key| {
        let root = Root { device: Some(device.id.clone()), ..Root::default() };
        Device { root, ..approved(&owner.id, key) }
    };
    let stolen = token(&owner.id, "stolen", None);
    let root = Root { token: Some(stolen.id.clone()), ..Root::default() };
    let first = Device { root, ..approved(&owner.id, 1) };
    let (second, honest) = (by(&first, 2), approved(&owner.id, 3));
    let (third, theirs) = (by(&second, 4), by(&honest, 5));
    for device in [first.clone(), second.clone()] {
        let error = write!(s.store, |tx| tx.devices().put(device).await).unwrap_err();
        assert!(missing(&error, "account, person, smartbox or root"), "{error}");
    }
    let key = stolen.clone();
    write!(s.store, |tx| tx.tokens().add(key).await).unwrap();
    for device in [&first, &second, &honest, &third, &theirs] {
        hang(&s, &owner.id, device).await;
        assert_eq!(get(&s, &device.id).await.as_ref(), Some(device));
    }
    let left = async || {
        let mut left = Vec::new();
        for device in [&first, &second, &third, &honest, &theirs] {
            let hash = device.id.as_str()[..8].to_owned();
            let key = read!(s.store, |tx| tx.tokens().find(hash, T0).await).unwrap();
            let is_in = get(&s, &device.id).await.is_some_and(|device| device.is_let_in());
            assert_eq!(key.is_some(), is_in, "what hangs on it ends with it");
            left.push(is_in);
        }
        left
    };
    assert_eq!(left().await, [true; 5]);
    write!(s.store, |tx| tx.tokens().revoke(stolen.id).await).unwrap();
    assert_eq!(left().await, [false, false, false, true, true]);
    let mut shut = honest.clone();
    shut.revoke("owner", T0);
    put(&s, &shut).await;
    assert_eq!(left().await, [false; 5]);
    assert_eq!(get(&s, &honest.id).await, Some(shut));
    assert_eq!(get(&s, &theirs.id).await, None);
}

async fn what_stayed_away_leaves_those_that_it_let_in_to_what_let_it_in(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let key = token(&owner.id, "key", None);
    let root = Root { token: Some(key.id.clone()), ..Root::default() };
    let (id, k) = (key.id.clone(), key);
    write!(s.store, |tx| tx.tokens().add(k).await).unwrap();
    let old = Device { root: root.clone(), ..approved(&owner.id, 1) };
    let of_old = Root { device: Some(old.id.clone()), ..Root::default() };
    let new = Device { root: of_old, seen: Some(T0.plus(IDLE)), ..approved(&owner.id, 2) };
    put(&s, &old).await;
    put(&s, &new).await;
    forget(&s, &old, T0.plus(IDLE)).await;
    assert_eq!(get(&s, &old.id).await.map(|d| d.state), Some(State::Revoked));
    let left = get(&s, &new.id).await.unwrap();
    assert!(left.is_let_in() && left.root == root, "{left:?}");
    write!(s.store, |tx| tx.tokens().revoke(id).await).unwrap();
    assert_eq!((get(&s, &old.id).await, get(&s, &new.id).await), (None, None));
}

async fn a_device_goes_with_what_it_is_of(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let (ann, you) = (person("ann"), account("you"));
    let (a, y) = (ann.clone(), you.clone());
    write!(s.store, |tx| {
        tx.people().add(a).await?;
        tx.accounts().add(y).await
    })
    .unwrap();
    let of_box = Device { smartbox: Some(pa.id.clone()), ..approved(&you.id, 1) };
    let of_person = Device { person: Some(ann.id.clone()), ..approved(&you.id, 2) };
    let of_account = approved(&you.id, 3);
    for (row, hash) in [(&of_box, "1"), (&of_person, "2"), (&of_account, "3")] {
        put(&s, row).await;
        let mut key = token(&you.id, hash, None);
        key.root.device = Some(row.id.clone());
        write!(s.store, |tx| tx.tokens().add(key).await).unwrap();
    }
    let left = async || {
        let found = read!(s.store, |tx| {
            let mut left = Vec::new();
            for hash in ["1", "2", "3"] {
                left.push(tx.tokens().find(hash.into(), T0).await?.is_some());
            }
            Ok(left)
        });
        let devices = [&of_box, &of_person, &of_account];
        let mut there = Vec::new();
        for device in devices {
            there.push(get(&s, &device.id).await.is_some());
        }
        assert_eq!(found.as_ref().unwrap(), &there, "what hangs on them goes with them");
        there
    };
    assert_eq!(left().await, [true; 3]);
    write!(s.store, |tx| tx.boxes().remove(pa.id).await).unwrap();
    assert_eq!(left().await, [false, true, true]);
    write!(s.store, |tx| tx.people().remove(ann.id).await).unwrap();
    assert_eq!(left().await, [false, false, true]);
    write!(s.store, |tx| tx.accounts().bury(you.id, T0).await).unwrap();
    assert_eq!(left().await, [false; 3]);
}

fn browser(account: &AccountId, key: Option<u8>) -> Device {
    let id = DeviceId::of(&PublicKey([key.unwrap_or(99); 32]));
    let key = key.map(|key| PublicKey([key; 32]));
    Device { id, key, kind: Kind::Browser, ask: None, ..approved(account, 98) }
}

async fn a_browser_without_a_key_is_forgotten_with_its_session(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let (bare, keyed) = (browser(&owner.id, None), browser(&owner.id, Some(1)));
    let soon = T0.plus(Duration::from_secs(9));
    let (mut open, mut key) = (session(&owner.id, "open", soon), token(&owner.id, "key", None));
    (open.root.device, key.root.device) = (Some(bare.id.clone()), Some(bare.id.clone()));
    let id = key.id.clone();
    put(&s, &bare).await;
    put(&s, &keyed).await;
    write!(s.store, |tx| {
        tx.sessions().add(open).await?;
        tx.tokens().add(key).await
    })
    .unwrap();
    let sweep = async || write!(s.store, |tx| tx.devices().sweep(T0).await).unwrap().gone;
    assert_eq!(sweep().await, 0);
    write!(s.store, |tx| tx.sessions().end("open".into()).await).unwrap();
    assert_eq!(sweep().await, 0, "what it made hangs on it");
    write!(s.store, |tx| tx.tokens().revoke(id).await).unwrap();
    assert_eq!(sweep().await, 1);
    assert_eq!(get(&s, &bare.id).await, None);
    assert!(get(&s, &keyed.id).await.is_some(), "one with a key may come back");
}

async fn what_hangs_on_a_device_that_waits_waits_too(s: Subject) {
    let (owner, _) = with_box(&*s.store, "pa").await;
    let late = T0.plus(LASTS + Duration::from_secs(1));
    let mut waits = Device { kind: Kind::Browser, ..device(Some(&owner.id), 1, T0) };
    let mut open = session(&owner.id, "open", Timestamp(i64::MAX));
    open.root.device = Some(waits.id.clone());
    put(&s, &waits).await;
    write!(s.store, |tx| tx.sessions().add(open).await).unwrap();
    let there = async || {
        read!(s.store, |tx| tx.sessions().find("open".into(), T0).await).unwrap().is_some()
    };
    waits.name = "phone".into();
    put(&s, &waits).await;
    waits.reject("owner", T0).unwrap();
    put(&s, &waits).await;
    assert!(there().await, "whoever waits must be able to read that they may not come in");
    write!(s.store, |tx| tx.devices().sweep(late).await).unwrap();
    assert!(!there().await, "and goes with the device");
}
