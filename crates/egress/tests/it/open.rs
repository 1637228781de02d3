//! TLS that is opened, because a rule is about what is asked; and TLS that is not.

use smartbox_core::egress::{PathPattern, Refusal};

use crate::tls::{ask, speak, web};
use crate::world::{World, layer};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async fn reading(port: u16) -> World {
    let world = World::new(&[], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    let mut only = layer(&[&format!("api.test:{port}")], &[]);
    only.allow[0].rule.methods = vec!["GET".into()];
    only.allow[0].rule.paths = vec![PathPattern::parse("/v1/**").unwrap()];
    world.allow(only);
    world
}

#[tokio::test]
async fn what_is_allowed_whole_passes_end_to_end() {
    let (port, heard) = web("api.test", OK).await;
    let to = format!("api.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("api.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    // The servers' own authority is trusted, not the box's: nobody else stood between.
    let mut stream = speak(&world, inside, "api.test", false).await.unwrap();
    let head = ask(&mut stream, "POST /any HTTP/1.1\r\nHost: api.test\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_allowed_in_part_is_asked_about_request_by_request() {
    let (port, heard) = web("api.test", OK).await;
    let world = reading(port).await;
    let mut inside = world.dial();
    inside.connect(&format!("api.test:{port}")).await;
    let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
    let host = format!("Host: api.test:{port}");
    let head = ask(&mut stream, &format!("GET /v1/a HTTP/1.1\r\n{host}\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let head = ask(&mut stream, &format!("GET /v1/b?c HTTP/1.1\r\n{host}\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let head = ask(&mut stream, &format!("GET /v2 HTTP/1.1\r\n{host}\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    for refused in [
        format!("POST /v1/a HTTP/1.1\r\n{host}\r\ncontent-length: 0\r\n\r\n"),
        format!("GET /v1/../v2 HTTP/1.1\r\n{host}\r\n\r\n"),
        format!("GET /v1/%2e%2e/v2 HTTP/1.1\r\n{host}\r\n\r\n"),
        "GET /v1/a HTTP/1.1\r\nHost: evil.test\r\n\r\n".to_owned(),
        format!("GET https://evil.test/v1/a HTTP/1.1\r\n{host}\r\n\r\n"),
    ] {
        let mut inside = world.dial();
        inside.connect(&format!("api.test:{port}")).await;
        let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
        let head = ask(&mut stream, &refused).await;
        assert!(head.starts_with("HTTP/1.1 40"), "{refused}{head}");
    }
    assert_eq!(world.refusals().len(), 6);
    assert_eq!(heard.lock().unwrap().len(), 2, "nothing else reached the server");
}

#[tokio::test]
async fn a_host_whose_certificate_is_anothers_gets_nothing() {
    let (port, heard) = web("other.test", OK).await;
    let world = reading(port).await;
    let mut inside = world.dial();
    inside.connect(&format!("api.test:{port}")).await;
    let mut stream = speak(&world, inside, "api.test", true).await.unwrap();
    let head =
        ask(&mut stream, &format!("GET /v1/a HTTP/1.1\r\nHost: api.test:{port}\r\n\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 504"), "{head}");
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_program_that_does_not_trust_the_boxs_authority_is_told_of() {
    let (port, heard) = web("api.test", OK).await;
    let world = reading(port).await;
    let mut inside = world.dial();
    inside.connect(&format!("api.test:{port}")).await;
    assert!(speak(&world, inside, "api.test", false).await.is_err());
    world.until(|world| !world.refusals().is_empty()).await;
    assert_eq!(world.refusals()[0].2, Refusal::Untrusted);
    assert!(heard.lock().unwrap().is_empty(), "and no host was bothered");
}
