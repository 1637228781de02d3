//! Which program asked is told with what became of it.

use smartbox_core::egress::port::Happening;
use smartbox_core::sandbox::Program;
use tokio::sync::oneshot;

use crate::world::{World, echo};

/// Who did what, as the witness was told: by whom, and whether it was refused.
fn told(world: &World) -> Vec<(Option<String>, bool)> {
    let notes = world.fake.notes.lock().unwrap();
    let refused = |what: &Happening| matches!(what, Happening::Refused(_));
    let told = notes.iter().map(|n| (n.by.clone().map(|by| by.to_string()), refused(&n.what)));
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_refusal_waits_until_it_is_known_who_asked() {
    let world = World::new(&[], &[]);
    let (tell, program) = oneshot::channel();
    let mut inside = world.dial_as(async { program.await.unwrap() });
    inside.send("CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n").await;
    tell.send(Program::new(b"curl")).unwrap();
    assert!(inside.head().await.starts_with("HTTP/1.1 403"));
    world.until(|world| told(world) == [(Some("curl".into()), true)]).await;
}

#[tokio::test]
async fn a_program_that_is_never_found_holds_nothing_up() {
    let port = echo().await;
    let host = format!("echo.test:{port}");
    let world = World::new(&[&host], &[port]);
    world.name("echo.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial_as(std::future::pending());
    assert!(inside.connect(&host).await.starts_with("HTTP/1.1 200"));
    inside.send("hello").await;
    assert_eq!(inside.exactly(5).await, b"hello");
    let mut refused = world.dial_as(std::future::pending());
    refused.send("CONNECT b.test:443 HTTP/1.1\r\nhost: b.test:443\r\n\r\n").await;
    assert!(refused.head().await.starts_with("HTTP/1.1 403"));
    world.until(|world| told(world) == [(None, false), (None, true)]).await;
}
