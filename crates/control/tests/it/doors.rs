//! A box that opens connections without end: it has its places, and the others have theirs.

use std::time::Duration;

use futures_util::AsyncReadExt as _;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::PROXY_PORT;
use smartbox_core::sandbox::port::Conn;
use smartbox_core::smartbox::{Desired, State};

use crate::engine::MODEL_PORT;
use crate::world::World;

/// Somebody inside opens a connection and says nothing.
fn open(world: &World, id: &SmartboxId, port: u16) -> Conn {
    world.sim.call_out(id, port).unwrap()
}

/// Whether it is served, as soon as everybody else waits.
async fn is_served(conn: &mut Conn) -> bool {
    let mut word = [0; 3];
    tokio::time::timeout(Duration::from_secs(60), conn.read_exact(&mut word)).await.is_ok()
}

async fn served(conns: &mut [Conn]) -> usize {
    let mut count = 0;
    for conn in conns {
        count += usize::from(is_served(conn).await);
    }
    count
}

#[tokio::test(start_paused = true)]
async fn who_opens_connections_without_end_waits_and_others_do_not() {
    let world = World::new().await;
    let (one, two) =
        (world.running("one", Desired::On).await, world.running("two", Desired::On).await);
    for port in [MODEL_PORT, PROXY_PORT] {
        let mut flood: Vec<Conn> = (0..200).map(|_| open(&world, &one, port)).collect();
        assert_eq!(served(&mut flood[..4]).await, 2, "two of one box");
        let (mut first, mut second) = (open(&world, &two, port), open(&world, &two, port));
        assert!(is_served(&mut first).await, "the flood leaves a place");
        assert!(!is_served(&mut second).await, "three of all");
        // Who has waited for the place of all gets it; the flood waits for one of its own first.
        drop(flood.remove(0));
        assert!(is_served(&mut second).await);
        assert_eq!(served(&mut flood[1..4]).await, 0);
        drop(first);
        assert!(is_served(&mut flood[1]).await, "whoever waits is served at last");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_that_ends_behind_full_doors_is_missed_and_the_next_is_served() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let mut flood: Vec<Conn> = (0..50).map(|_| open(&world, &id, MODEL_PORT)).collect();
    assert_eq!(served(&mut flood[..4]).await, 2);
    world.sim.kill(&id);
    world.settle(&id, State::Starting).await;
    world.settle(&id, State::Running).await;
    assert!(is_served(&mut open(&world, &id, MODEL_PORT)).await);
}
