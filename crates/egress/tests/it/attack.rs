//! Ways out that are none. Each is refused, and written down.

use std::time::Duration;

use smartbox_core::egress::{PathPattern, Refusal};
use smartbox_egress::Limits;

use crate::world::{World, echo, layer, web};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn what_no_rule_names_is_refused_with_the_way_to_allow_it() {
    let world = World::new(&[], &[]);
    let mut inside = world.dial();
    let head = inside.connect("registry.npmjs.org:443").await;
    assert!(
        head.starts_with(
            "HTTP/1.1 403 registry.npmjs.org is not allowed for pa; its owner allows it with: \
             smartbox egress allow pa registry.npmjs.org\r\n"
        ),
        "{head}"
    );
    let body: serde_json::Value = serde_json::from_slice(&inside.rest().await).unwrap();
    assert_eq!(body["code"], "not-listed");
    assert_eq!(world.refusals(), [("registry.npmjs.org".into(), 443, Refusal::NotListed)]);
    assert!(world.fake.lookups.lock().unwrap().is_empty(), "its name was not even looked up");
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    let port = echo().await;
    // The policy allows everything that can be written down; the addresses still decide.
    let every =
        "127.0.0.1 10.0.0.1 169.254.169.254 192.168.0.1 0.0.0.0 [::1] [fd00:ec2::254] [fe80::1]";
    let rules: Vec<String> = every.split(' ').map(|ip| format!("{ip}:{port}")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let world = World::new(&rules, &[]);
    for (spelling, why) in [
        ("127.0.0.1", Refusal::Private),
        ("10.0.0.1", Refusal::Private),
        ("169.254.169.254", Refusal::Private),
        ("192.168.0.1", Refusal::Private),
        ("0.0.0.0", Refusal::Private),
        ("[::1]", Refusal::Private),
        ("[::ffff:127.0.0.1]", Refusal::Private),
        ("[::ffff:7f00:1]", Refusal::Private),
        ("[0:0:0:0:0:0:0:1]", Refusal::Private),
        ("[fd00:ec2::254]", Refusal::Private),
        ("[fe80::1]", Refusal::Private),
        ("[::127.0.0.1]", Refusal::Private),
        ("[64:ff9b::127.0.0.1]", Refusal::Private),
        ("127.1", Refusal::Host),
        ("127.0.1", Refusal::Host),
        ("0x7f.0.0.1", Refusal::Host),
        ("0x7f000001", Refusal::Host),
        ("2130706433", Refusal::Host),
        ("0177.0.0.1", Refusal::Host),
        ("127.0.0.1.", Refusal::Host),
        ("localhost", Refusal::Host),
        ("[::1%lo]", Refusal::Host),
    ] {
        let head = world.dial().connect(&format!("{spelling}:{port}")).await;
        assert!(!head.starts_with("HTTP/1.1 200"), "{spelling}: {head}");
        let last = world.refusals().pop();
        match last {
            Some((_, _, seen)) => assert_eq!(seen, why, "{spelling}"),
            // What is no request at all is answered by the reader of heads.
            None => assert!(head.starts_with("HTTP/1.1 400"), "{spelling}: {head}"),
        }
        world.fake.notes.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_name_that_means_a_private_address_is_refused() {
    let port = echo().await;
    let rule = format!("*.evil.test:{port}");
    let world = World::new(&[&rule], &[]);
    world.name("a.evil.test", &[&["127.0.0.1"]]);
    world.name("b.evil.test", &[&["169.254.169.254", "::1", "::ffff:10.0.0.1"]]);
    for name in ["a.evil.test", "b.evil.test"] {
        let head = world.dial().connect(&format!("{name}:{port}")).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        assert_eq!(world.refusals().pop().unwrap(), (name.into(), port, Refusal::Private));
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_asked_once() {
    let (port, heard) = web(OK).await;
    let rule = format!("rebind.test:{port}");
    // Public (nobody answers there) when it is looked at, this machine when it would be dialled.
    let limits = Limits { dial_time: Duration::from_millis(300), ..Limits::default() };
    let world = World::with(&[&rule], &[], limits);
    world.name("rebind.test", &[&["192.0.1.7"], &["127.0.0.1"]]);
    let head = world.dial().connect(&rule).await;
    assert!(head.starts_with("HTTP/1.1 504"), "{head}");
    assert_eq!(world.fake.lookups.lock().unwrap().len(), 1);
    let head = world.dial().connect(&rule).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_name_in_the_handshake_cannot_be_another() {
    let (port, heard) = web(OK).await;
    let rule = format!("good.test:{port}");
    let world = World::new(&[&rule], &[port]);
    world.name("good.test", &[&["127.0.0.1"]]);
    // A handshake's first record, with the name of another host of the same server in it.
    let hello = hello("evil.test");
    let mut inside = world.dial();
    assert!(inside.connect(&rule).await.starts_with("HTTP/1.1 200"));
    inside.send(&hello).await;
    assert_eq!(inside.rest().await, b"");
    assert_eq!(world.refusals(), [("good.test".into(), port, Refusal::Mismatch)]);
    assert!(heard.lock().unwrap().iter().all(String::is_empty), "not a byte reached the server");
}

#[tokio::test]
async fn two_names_in_one_request_are_one_too_many() {
    let (port, heard) = web(OK).await;
    let to = format!("good.test:{port}");
    let world = World::new(&[&to], &[port]);
    world.name("good.test", &[&["127.0.0.1"]]);
    for request in [
        format!("CONNECT {to} HTTP/1.1\r\nHost: evil.test:{port}\r\n\r\n"),
        format!("GET http://{to}/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"),
        format!("GET http://{to}/ HTTP/1.1\r\nHost: {to}\r\nHost: evil.test\r\n\r\n"),
        format!("GET http://{to}/ HTTP/1.1\r\n\r\n"),
        format!("GET http://evil@{to}/ HTTP/1.1\r\nHost: {to}\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: good.test\r\n\r\n".to_owned(),
        format!("GET https://{to}/ HTTP/1.1\r\nHost: {to}\r\n\r\n"),
        format!("GET ftp://{to}/ HTTP/1.1\r\nHost: {to}\r\n\r\n"),
    ] {
        let mut inside = world.dial();
        inside.send(&request).await;
        let head = inside.head().await;
        assert!(head.starts_with("HTTP/1.1 40"), "{request}{head}");
        assert_eq!(world.refusals().len(), 1, "{request}");
        world.fake.notes.lock().unwrap().clear();
    }
    // The same within a tunnel: another host of the same server behind the first one's name.
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    assert!(inside.head().await.starts_with("HTTP/1.1 403"));
    assert_eq!(world.refusals().pop().unwrap().2, Refusal::Mismatch);
    assert!(heard.lock().unwrap().iter().all(String::is_empty));
}

#[tokio::test]
async fn a_second_request_is_not_smuggled_in_the_first() {
    let (port, heard) = web(OK).await;
    let to = format!("good.test:{port}");
    let world = World::new(&[], &[port]);
    world.name("good.test", &[&["127.0.0.1"]]);
    let mut only = layer(&[&to], &[]);
    only.allow[0].rule.paths = vec![PathPattern::parse("/ok").unwrap()];
    world.allow(only);
    let smuggled = format!("GET /secret HTTP/1.1\r\nHost: {to}\r\n\r\n");
    for head in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked".to_owned(),
        "Transfer-Encoding: chunked\r\nContent-Length: 4".to_owned(),
        "Transfer-Encoding: xchunked\r\nContent-Length: 0".to_owned(),
        "Transfer-Encoding : chunked\r\nContent-Length: 0".to_owned(),
        "Content-Length: 0\r\nContent-Length: 40".to_owned(),
        "Content-Length: +0".to_owned(),
        "Content-Length: 0\r\nConnection: content-length".to_owned(),
        "Content-Length: 0\r\nX: y\r\n z: w".to_owned(),
    ] {
        let mut inside = world.dial();
        inside
            .send(format!(
                "POST http://{to}/ok HTTP/1.1\r\nHost: {to}\r\n{head}\r\n\r\n0\r\n\r\n{smuggled}"
            ))
            .await;
        inside.head().await;
        drop(inside);
    }
    // One that is spoken in the open, through a tunnel, after one that is allowed.
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send(format!("GET /ok HTTP/1.1\r\nHost: {to}\r\n\r\n{smuggled}")).await;
    assert!(inside.head().await.starts_with("HTTP/1.1 200"));
    inside.exactly(2).await;
    assert!(inside.head().await.starts_with("HTTP/1.1 403"));
    world.until(|world| !world.refusals().is_empty()).await;
    for heard in heard.lock().unwrap().iter() {
        let heads = heard.matches(" HTTP/1.1\r\n").count();
        assert!(heads <= 1 && !heard.contains("GET /secret"), "{heard}");
    }
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_let_through_where_it_must_be() {
    let port = echo().await;
    let to = format!("good.test:{port}");
    let world = World::new(&[], &[port]);
    world.name("good.test", &[&["127.0.0.1"]]);
    let mut reading = layer(&[&to], &[]);
    reading.allow[0].rule.methods = vec!["GET".into()];
    world.allow(reading);
    for first in [b"SSH-2.0-x\r\n".to_vec(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()] {
        let mut inside = world.dial();
        inside.connect(&to).await;
        inside.send(&first).await;
        assert_eq!(inside.rest().await, b"");
    }
    let whys: Vec<Refusal> = world.refusals().into_iter().map(|(_, _, why)| why).collect();
    assert_eq!(whys, [Refusal::Request, Refusal::Malformed]);
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send(format!("POST / HTTP/1.1\r\nHost: {to}\r\nContent-Length: 0\r\n\r\n")).await;
    assert!(inside.head().await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_box_has_so_many_connections_and_no_more() {
    let port = echo().await;
    let to = format!("echo.test:{port}");
    let world = World::with(&[&to], &[port], Limits { connections: 2, ..Limits::default() });
    world.name("echo.test", &[&["127.0.0.1"]]);
    let (mut a, mut b, mut c) = (world.dial(), world.dial(), world.dial());
    assert!(a.connect(&to).await.starts_with("HTTP/1.1 200"));
    assert!(b.connect(&to).await.starts_with("HTTP/1.1 200"));
    assert!(c.connect(&to).await.starts_with("HTTP/1.1 429"));
    assert_eq!(world.refusals(), [("echo.test".into(), port, Refusal::Limit)]);
    drop(a);
    // The place is given back once the other end has seen it.
    loop {
        let mut again = world.dial();
        if again.connect(&to).await.starts_with("HTTP/1.1 200") {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_is_given_up() {
    let world = World::new(&[], &[]);
    let mut inside = world.dial();
    let mut sent = 0;
    for byte in "CONNECT a.test:443 HTTP/1.1\r\nX-Long: ".bytes().chain(std::iter::repeat(b'x')) {
        use tokio::io::AsyncWriteExt as _;
        if inside.0.write_all(&[byte]).await.is_err() {
            break;
        }
        sent += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(sent < 40, "{sent} seconds");
}

#[tokio::test]
async fn hosts_that_would_drive_a_terminal_are_printable_where_they_are_written_down() {
    let world = World::new(&[], &[]);
    let mut inside = world.dial();
    inside.send("CONNECT a\u{1b}[2Jb.test:443 HTTP/1.1\r\n\r\n").await;
    inside.head().await;
    let mut long = world.dial();
    let name = format!("{}.test", "a".repeat(5_000));
    long.connect(&format!("{name}:443")).await;
    for (host, ..) in world.refusals() {
        assert!(host.len() <= 80 && host.bytes().all(|b| b.is_ascii_graphic()), "{host}");
    }
}

/// A ClientHello with this name.
fn hello(name: &str) -> Vec<u8> {
    let n = u16::try_from(name.len()).unwrap();
    let mut extensions = vec![0, 43, 0, 3, 2, 3, 4, 0, 13, 0, 4, 0, 2, 8, 4, 0, 0];
    extensions.extend((n + 5).to_be_bytes());
    extensions.extend((n + 3).to_be_bytes());
    extensions.push(0);
    extensions.extend(n.to_be_bytes());
    extensions.extend(name.as_bytes());
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let mut record = vec![0x16, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}
