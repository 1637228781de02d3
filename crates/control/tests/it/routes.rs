//! From a host label to a box: remembered, and never older than what was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::route::Route;
use smartbox_core::route::port::Resolve;
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_core::store::{Store, StoreError, Work};

use crate::world::{World, actor};

/// Records that count who reads, and that can hide that something was written.
struct Watched {
    inner: Arc<dyn Store>,
    reads: AtomicUsize,
    mute: AtomicBool,
}

impl Store for Watched {
    fn write(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.write(work)
    }
    fn read(&self, work: Work) -> BoxFuture<'_, Result<(), StoreError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.inner.read(work)
    }
    fn version(&self) -> u64 {
        if self.mute.load(Ordering::SeqCst) { 0 } else { self.inner.version() }
    }
}

async fn watched() -> (World, Arc<Watched>) {
    let mut kept = None;
    let world = World::around(|inner| {
        let watched =
            Arc::new(Watched { inner, reads: AtomicUsize::new(0), mute: AtomicBool::new(false) });
        kept = Some(watched.clone());
        watched
    })
    .await;
    (world, kept.unwrap())
}

async fn route(world: &World, label: &str) -> Option<Route> {
    Resolve::route(&*world.control, label).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_ask_the_records_once() {
    let (world, store) = watched().await;
    world.running("pa", Desired::On).await;
    let label = world.new_box("second", Desired::Off).await.label;
    route(&world, &label).await.unwrap();
    let before = store.reads.load(Ordering::SeqCst);
    for _ in 0..100 {
        assert_eq!(route(&world, &label).await.unwrap().desired, Desired::Off);
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), before);
    // A label of no box costs a look, and no memory.
    assert_eq!(route(&world, "nobody").await, None);
    assert_eq!(store.reads.load(Ordering::SeqCst), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_route_is_never_older_than_an_answer() {
    let (world, _) = watched().await;
    let id = world.running("pa", Desired::Auto).await;
    let label = world.control.view(&id).await.unwrap().row.label;
    for _ in 0..3 {
        assert_eq!(route(&world, &label).await.unwrap().state, State::Running);
        world.control.sleep(&actor(), &id, Rest::Stopped).await.unwrap();
        world.settle(&id, State::Stopped).await;
        assert_eq!(route(&world, &label).await.unwrap().state, State::Stopped);
        Resolve::wake(&*world.control, id.clone(), Duration::from_secs(300)).await.unwrap();
    }
    assert_eq!(route(&world, &label).await.unwrap().desired, Desired::Auto);
    world.control.remove(&actor(), &id).await.unwrap();
    assert_eq!(route(&world, &label).await, None, "from the moment that it was accepted");
}

#[tokio::test(start_paused = true)]
async fn what_another_process_writes_is_seen_within_a_second() {
    let (world, store) = watched().await;
    let id = world.running("pa", Desired::Auto).await;
    let label = world.control.view(&id).await.unwrap().row.label;
    store.mute.store(true, Ordering::SeqCst);
    route(&world, &label).await.unwrap();
    world.control.remove(&actor(), &id).await.unwrap();
    assert!(route(&world, &label).await.is_some(), "the records do not say that they changed");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(route(&world, &label).await, None);
}
