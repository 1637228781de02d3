//! Devices that stayed away: for how long they are let in, and when they are ended for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use smartbox_core::device::DeviceId;
use smartbox_core::store;
use smartbox_core::time::Timestamp;
use smartbox_server::access::Access;
use tokio::time::{Instant, timeout};

use crate::devices::{Laptop, answer};
use crate::tokens::Standing;
use crate::world::World;

const LONG: Duration = Duration::from_secs(60);

/// As if it had been there last so long ago.
async fn stayed_away(world: &World, id: &DeviceId, days: u64) {
    let (id, ago) = (id.clone(), Duration::from_hours(24 * days));
    let past = move |at: Timestamp| Timestamp(at.0 - i64::try_from(ago.as_millis()).unwrap());
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            let mut device = tx.devices().get(id).await?.unwrap();
            device.seen = device.seen.map(past);
            device.decided = device.decided.map(past);
            tx.devices().put(device).await
        })
    })
    .await
    .unwrap();
}

/// Who shut a device out, and which.
async fn audited(world: &World) -> Vec<(String, String)> {
    let id = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(id, 0, 1000).await })
    });
    let acts = acts.await.unwrap().into_iter().map(|entry| entry.act);
    let ended = acts.filter(|act| act.action == "device.revoke");
    ended.map(|act| (act.actor, act.detail)).collect()
}

/// For so long one is found away before it is ended.
const AWAY: Duration = Duration::from_hours(2);

#[tokio::test]
async fn a_clock_that_jumps_ahead_and_back_ends_no_device() {
    let world = World::new().await;
    let laptops = [Laptop::new(1), Laptop::new(2)];
    for laptop in &laptops {
        laptop.let_in(&world, "chat").await;
    }
    let there = async || {
        let mut there = Vec::new();
        for laptop in &laptops {
            let id = laptop.id();
            let found = store::read(&*world.app.store, |tx| {
                Box::pin(async move { tx.devices().get(id).await })
            });
            there.push(found.await.unwrap().unwrap().is_let_in());
        }
        there
    };
    let real = world.app.clock.now().0;
    let clock = Arc::new(Standing(AtomicI64::new(real)));
    let (store, entropy) = (world.app.store.clone(), world.app.entropy.clone());
    let access = Access::new(store, clock.clone(), entropy, None);
    let (start, ahead) = (Instant::now(), real + 31 * 86_400_000);
    let (minute, ten) = (Duration::from_mins(1), Duration::from_mins(10));
    for hour in 0..9_u32 {
        // Wrong for an hour or two, again and again, and right for a moment in between.
        let wrong = hour % 3 != 2;
        clock.0.store(if wrong { ahead } else { real }, Ordering::SeqCst);
        for look in 0..6 {
            access.sweep(start + minute * 60 * hour + ten * look).await.unwrap();
        }
    }
    assert_eq!(there().await, [true, true]);
    assert_eq!(audited(&world).await, []);
    // One that came meanwhile is not the one that did not.
    clock.0.store(ahead, Ordering::SeqCst);
    let (came, later) = (laptops[1].id(), start + minute * 60 * 10);
    access.sweep(later).await.unwrap();
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move { tx.devices().seen(came, Timestamp(ahead)).await })
    })
    .await
    .unwrap();
    access.sweep(later + AWAY).await.unwrap();
    assert_eq!(there().await, [false, true]);
    assert_eq!(audited(&world).await, [("platform".to_owned(), laptops[0].id().to_string())]);
}

#[tokio::test]
async fn one_that_stayed_away_is_let_in_no_more_and_asks_again() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let token = laptop.let_in(&world, "chat").await;
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes", &token).await, 200);
    let path = format!("/api/v1/devices/{}", laptop.id());
    let seen = async || answer(world.as_owner(Method::GET, &path)).await.1;
    let day = 86_400_000;
    let device = seen().await;
    let at = |name: &str| device[name].as_i64().unwrap();
    assert_eq!(at("expires") - at("seen"), 30 * day);
    stayed_away(&world, &laptop.id(), 29).await;
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes", &token).await, 200);
    stayed_away(&world, &laptop.id(), 31).await;
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes", &token).await, 401);
    // The key alone is not enough any more, either.
    let (_, asked) = laptop.asks(&world, &[("scope", "chat")]).await;
    assert_eq!(laptop.polls(&world, &asked).await.1["error"], json!("authorization_pending"));
    assert_eq!(seen().await["state"], json!("pending"));
    assert_eq!(audited(&world).await, [("platform".to_owned(), laptop.id().to_string())]);
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/boxes", &token).await, 401);
}

#[tokio::test]
async fn what_one_made_that_stayed_away_ends_with_it_and_is_cut_off() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let token = laptop.let_in(&world, "own").await;
    let made = laptop.request(&world, Method::POST, "/api/v1/tokens", &token).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let made = made["token"].as_str().unwrap();
    let logs = "/api/v1/boxes/pa/logs?follow=true&tail=0";
    let following = world.ask(Method::GET, logs).bearer_auth(made).send().await.unwrap();
    assert_eq!(following.status(), 200);
    stayed_away(&world, &laptop.id(), 31).await;
    let first = Instant::now();
    world.app.access.sweep(first).await.unwrap();
    assert_eq!(audited(&world).await, [], "it may be the clock");
    world.app.access.sweep(first + AWAY).await.unwrap();
    let id = laptop.id().to_string();
    assert_eq!(audited(&world).await, [("platform".to_owned(), id)]);
    assert!(timeout(LONG, following.text()).await.unwrap().is_err(), "broken off");
    let by_made = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(made).send().await.unwrap();
    assert_eq!(by_made.status(), 401);
    let path = format!("/api/v1/devices/{}", laptop.id());
    let (_, device) = answer(world.as_owner(Method::GET, &path)).await;
    assert_eq!((&device["state"], &device["decided_by"]), (&json!("revoked"), &json!("idle")));
    assert!(device.get("expires").is_none(), "{device}");
}
