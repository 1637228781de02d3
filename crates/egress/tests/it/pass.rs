//! What is allowed passes, untouched.

use smartbox_core::egress::{Entry, Refusal, Rule};

use crate::world::{World, echo, layer, web};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\nkeep-alive: timeout=5\r\n\r\nhi";

#[tokio::test]
async fn a_tunnel_passes_bytes_both_ways_and_counts_them() {
    let port = echo().await;
    let world = World::new(&[&format!("echo.test:{port}")], &[port]);
    world.name("echo.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial();
    assert!(inside.connect(&format!("echo.test:{port}")).await.starts_with("HTTP/1.1 200"));
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut read, mut write) = tokio::io::split(inside.0);
    let (_, got) = tokio::join!(
        async {
            use tokio::io::AsyncWriteExt as _;
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        },
        async {
            use tokio::io::AsyncReadExt as _;
            let mut got = Vec::new();
            read.read_to_end(&mut got).await.unwrap();
            got
        }
    );
    assert!(got == sent);
    let n = sent.len() as u64;
    world.until(|world| world.moved() == (n, n)).await;
}

#[tokio::test]
async fn a_request_in_the_open_is_passed_on_without_what_was_for_the_proxy() {
    let (port, heard) = web(OK).await;
    let world = World::new(&[&format!("web.test:{port}")], &[port]);
    world.name("web.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial();
    let request = format!(
        "POST http://web.test:{port}/a?b=c HTTP/1.1\r\nHost: web.test:{port}\r\nX-Own: 1\r\nX-Hop: 2\r\n\
         Proxy-Authorization: Basic eA==\r\nProxy-Connection: keep-alive\r\nConnection: x-hop\r\n\
         Content-Length: 4\r\n\r\nbody"
    );
    for _ in 0..2 {
        inside.send(&request).await;
        let head = inside.head().await;
        assert!(head.starts_with("HTTP/1.1 200 OK") && !head.contains("keep-alive"), "{head}");
        assert_eq!(inside.exactly(2).await, b"hi");
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "each request has a connection of its own");
    let lower = heard[0].to_lowercase();
    assert!(
        lower.starts_with("post /a?b=c http/1.1\r\n") && lower.ends_with("\r\n\r\nbody"),
        "{lower}"
    );
    assert!(lower.contains("x-own: 1") && lower.contains(&format!("host: web.test:{port}")));
    for gone in ["proxy", "x-hop", "connection"] {
        assert!(!lower.contains(gone), "{gone} in {lower}");
    }
}

#[tokio::test]
async fn a_rule_for_once_is_for_one_connection() {
    let port = echo().await;
    let world = World::new(&[], &[port]);
    world.name("echo.test", &[&["127.0.0.1"]]);
    let mut once = layer(&[], &[]);
    let rule = Rule::parse(&format!("echo.test:{port}")).unwrap();
    once.allow.push(Entry { id: "e1".into(), once: true, ..Entry::new(rule) });
    world.allow(once);
    let to = format!("echo.test:{port}");
    let (mut first, mut second) = (world.dial(), world.dial());
    assert!(first.connect(&to).await.starts_with("HTTP/1.1 200"));
    assert!(second.connect(&to).await.starts_with("HTTP/1.1 403"));
    first.send("still there").await;
    assert_eq!(first.exactly(11).await, b"still there");
    assert_eq!(world.refusals(), [("echo.test".into(), port, Refusal::NotListed)]);
}

#[tokio::test]
async fn a_change_acts_on_what_is_open() {
    let port = echo().await;
    let to = format!("echo.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("echo.test", &[&["127.0.0.1"]]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send("hello").await;
    assert_eq!(inside.exactly(5).await, b"hello");
    world.allow(layer(&[&to, "other.test"], &[]));
    inside.send("again").await;
    assert_eq!(inside.exactly(5).await, b"again", "what is still allowed goes on");
    world.allow(layer(&["other.test"], &[]));
    assert_eq!(inside.rest().await, b"");
    world.until(|world| world.refusals() == [("echo.test".into(), port, Refusal::Denied)]).await;
}
