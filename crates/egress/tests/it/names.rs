//! The name service of a box: what it says, what it never does, and what attackers would do with it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, Name, RData, RecordType};
use proptest::prelude::*;
use smartbox_core::egress::Refusal;
use smartbox_core::egress::address::is_stand_in;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::time::timeout;

use crate::world::{WITHIN, World, echo, layer, web};

fn question(name: &str, of: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.id = 7;
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), of));
    message
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

/// The next answer; none if the connection was closed.
async fn next(stream: &mut DuplexStream) -> Option<Message> {
    let read = async {
        let length = stream.read_u16().await.ok()?;
        let mut bytes = vec![0; usize::from(length)];
        stream.read_exact(&mut bytes).await.ok()?;
        assert!(bytes.len() <= 512, "it fits into a datagram");
        Some(Message::from_vec(&bytes).unwrap())
    };
    timeout(WITHIN, read).await.expect("an answer or an end")
}

/// What the name service says to these bytes.
async fn said(world: &World, bytes: &[u8]) -> Option<Message> {
    let mut stream = world.names_of(0);
    stream.write_all(&framed(bytes)).await.unwrap();
    stream.shutdown().await.unwrap();
    next(&mut stream).await
}

async fn ask(world: &World, name: &str, of: RecordType) -> Message {
    said(world, &question(name, of).to_vec().unwrap()).await.unwrap()
}

fn addresses(answer: &Message) -> Vec<IpAddr> {
    let ip = |data: &RData| match data {
        RData::A(a) => IpAddr::from(a.0),
        RData::AAAA(a) => IpAddr::from(a.0),
        other => panic!("{other:?}"),
    };
    answer.answers.iter().map(|record| ip(&record.data)).collect()
}

/// The address that stands for a name.
async fn stand_in(world: &World, name: &str) -> Ipv4Addr {
    let answer = ask(world, name, RecordType::A).await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
    match addresses(&answer)[..] {
        [IpAddr::V4(ip)] if is_stand_in(ip) => ip,
        ref other => panic!("{other:?}"),
    }
}

fn lookups(world: &World) -> Vec<String> {
    world.fake.lookups.lock().unwrap().clone()
}

#[tokio::test]
async fn an_allowed_name_has_a_stand_in_that_leads_to_its_host() {
    let port = echo().await;
    let world = World::new(&[&format!("git.example:{port}")], &[port]);
    world.name("git.example", &[&["127.0.0.1"]]);
    let answer = ask(&world, "Git.Example.", RecordType::A).await;
    assert_eq!((answer.metadata.id, answer.metadata.message_type), (7, MessageType::Response));
    assert_eq!(answer.queries[0].name().to_ascii(), "Git.Example.", "as it was asked");
    assert!(answer.answers[0].ttl <= 60);
    let ip = stand_in(&world, "git.example").await;
    assert_eq!(addresses(&answer), [ip]);
    assert!(lookups(&world).is_empty(), "a question looks nothing up");

    let mut inside = world.dial();
    let head = inside.connect(&format!("{ip}:{port}")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    inside.send("SSH-2.0-hello").await;
    assert_eq!(inside.exactly(13).await, b"SSH-2.0-hello");
    assert_eq!(lookups(&world), ["git.example"]);
    assert!(world.fake.notes.lock().unwrap().iter().all(|note| note.host == "git.example"));

    // The policy sees the name, and so does who reads the refusal.
    let head = world.dial().connect(&format!("{ip}:1")).await;
    assert!(head.contains("port 1 of git.example is not allowed"), "{head}");
    assert_eq!(world.refusals(), [("git.example".into(), 1, Refusal::Port)]);
    let rest = "Host: other.example\r\n\r\n";
    let mut inside = world.dial();
    inside.send(format!("CONNECT {ip}:{port} HTTP/1.1\r\n{rest}")).await;
    assert!(inside.head().await.contains("names another host than git.example"));
}

#[tokio::test]
async fn requests_through_a_stand_in_name_the_host() {
    let (port, heard) = web("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let world = World::new(&[&format!("a.example:{port}")], &[port]);
    world.name("a.example", &[&["127.0.0.1"]]);
    let ip = stand_in(&world, "a.example").await;
    for (host, fine) in [(format!("a.example:{port}"), true), (format!("{ip}:{port}"), false)] {
        let mut inside = world.dial();
        inside.connect(&format!("{ip}:{port}")).await;
        inside.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let head = inside.head().await;
        assert_eq!(head.starts_with("HTTP/1.1 200"), fine, "{head}");
    }
    let heard = heard.lock().unwrap().join("");
    assert!(!heard.contains("198.") && heard.contains("a.example"), "{heard}");
}

#[tokio::test]
async fn what_is_not_allowed_does_not_exist_and_is_written_down() {
    let world = World::new(&["*.good.example"], &[]);
    for name in ["good.example", "evil.example", "good.example.evil.example"] {
        for of in [RecordType::A, RecordType::AAAA, RecordType::TXT] {
            let answer = ask(&world, name, of).await;
            assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain, "{name}");
            assert!(answer.answers.is_empty() && answer.authorities.is_empty());
            let written = world.refusals().pop().unwrap();
            assert_eq!(written, (name.to_owned(), 0, Refusal::NotListed));
        }
    }
    // No host on the internet has such a name.
    for first in [&b"printer"[..], b"127.1", b"a.b.good.example", b"\x80\x1b[1m", b"-", b"a\\.b"] {
        let name = Name::from_labels([first, b"good", b"example"]).unwrap();
        let name = if first == b"printer" { Name::from_labels([first]).unwrap() } else { name };
        let mut message = question("x.example", RecordType::A);
        message.queries[0].set_name(name.clone());
        let answer = said(&world, &message.to_vec().unwrap()).await.unwrap();
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain, "{name}");
        let (host, _, why) = world.refusals().pop().unwrap();
        assert_eq!(why, Refusal::Host, "{name}");
        assert!(host.bytes().all(|b| b.is_ascii_graphic()), "{host}");
    }
    world.allow(layer(&["evil.example"], &["x.good.example"]));
    stand_in(&world, "evil.example").await;
    assert!(ask(&world, "x.good.example", RecordType::A).await.answers.is_empty());
    assert_eq!(world.refusals().pop().unwrap().2, Refusal::Denied);
    assert!(lookups(&world).is_empty());
}

#[tokio::test]
async fn only_addresses_of_the_old_kind_are_known() {
    let world = World::new(&["a.example"], &[]);
    for of in ["AAAA", "TXT", "NULL", "MX", "SRV", "CNAME", "HTTPS", "NS", "SOA", "ANY", "AXFR"] {
        let answer = ask(&world, "a.example", of.parse().unwrap()).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError, "{of}");
        assert!(answer.answers.is_empty(), "{of}");
    }
    let of = RecordType::Unknown(65_280);
    assert!(ask(&world, "a.example", of).await.answers.is_empty());
    let mut chaos = question("version.bind", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    let answer = said(&world, &chaos.to_vec().unwrap()).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::Refused);
    assert!(lookups(&world).is_empty());
}

#[tokio::test]
async fn the_box_itself_is_localhost() {
    let world = World::new(&[], &[]);
    for name in ["localhost", "LOCALHOST.", "app.localhost"] {
        let four = addresses(&ask(&world, name, RecordType::A).await);
        let six = addresses(&ask(&world, name, RecordType::AAAA).await);
        assert_eq!((four, six), (vec![[127, 0, 0, 1].into()], vec!["::1".parse().unwrap()]));
        assert!(ask(&world, name, RecordType::TXT).await.answers.is_empty());
    }
    assert!(world.refusals().is_empty());
}

#[tokio::test]
async fn who_speaks_edns_reads_how_to_allow_it() {
    let world = World::new(&[], &[]);
    let mut message = question("a.example", RecordType::A);
    message.set_edns(Edns::new());
    let answer = said(&world, &message.to_vec().unwrap()).await.unwrap();
    let edns = answer.edns.unwrap();
    let Some(EdnsOption::Unknown(15, data)) = edns.option(EdnsCode::from(15)) else { panic!() };
    let words = String::from_utf8_lossy(&data[2..]);
    assert!(data.starts_with(&[0, 15]), "blocked");
    assert!(words.ends_with("smartbox egress allow pa a.example"), "{words}");
    // The longest name there is, and the longest words.
    let long = vec!["x".repeat(62); 4].join(".");
    let mut message = question(&long[..250], RecordType::A);
    message.set_edns(Edns::new());
    assert!(said(&world, &message.to_vec().unwrap()).await.is_some());
    let mut version = Edns::new();
    version.set_version(1);
    message.set_edns(version);
    let answer = said(&world, &message.to_vec().unwrap()).await.unwrap();
    assert_eq!(u16::from(answer.metadata.response_code), 16, "BADVERS");
}

/// The attack for which this service is as it is: what a program knows, in the names it asks for.
#[tokio::test]
async fn nothing_is_carried_out_in_names() {
    let world = World::new(&["*.good.example"], &[]);
    let mut stream = world.names_of(0);
    let kinds = ["A", "AAAA", "TXT", "NULL", "CNAME", "MX", "SRV", "HTTPS"];
    for n in 0..1_000 {
        let data = format!("{n:032x}");
        // Beneath a name that is allowed, too: no server of that name is ever asked.
        for above in ["evil.example", "a.b.evil.example", "good.example"] {
            let of = kinds[n % kinds.len()].parse().unwrap();
            let bytes = question(&format!("{data}.{above}"), of).to_vec().unwrap();
            stream.write_all(&framed(&bytes)).await.unwrap();
            let answer = next(&mut stream).await.unwrap();
            let known = answer.metadata.response_code == ResponseCode::NoError;
            assert_eq!(known, above == "good.example");
        }
    }
    assert!(lookups(&world).is_empty());
    let refusals = world.refusals();
    let hosts: BTreeSet<_> = refusals.iter().map(|(host, ..)| host).collect();
    assert!(refusals.len() == 2_000 && hosts.len() < 20, "{} rows", hosts.len());
    assert!(hosts.contains(&"*.evil.example".to_owned()));
}

#[tokio::test]
async fn a_stand_in_is_no_way_around_a_rule_or_an_address() {
    let port = echo().await;
    let world = World::new(&[&format!("a.example:{port}")], &[port]);
    // A name that means this machine first and another's private network then.
    world
        .name("a.example", &[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254"], &["198.18.0.9"]]);
    let ip = stand_in(&world, "a.example").await;
    let to = format!("{ip}:{port}");
    assert!(world.dial().connect(&to).await.starts_with("HTTP/1.1 200"));
    for _ in 0..3 {
        assert!(world.dial().connect(&to).await.contains("is not on the public internet"));
    }
    assert_eq!(stand_in(&world, "a.example").await, ip, "it follows no rebinding");
    world.allow(layer(&[], &[]));
    let head = world.dial().connect(&to).await;
    assert!(head.starts_with("HTTP/1.1 403") && head.contains("a.example"), "{head}");
    assert_eq!(world.refusals().pop().unwrap(), ("a.example".into(), port, Refusal::NotListed));
}

#[tokio::test]
async fn a_stand_in_is_worth_nothing_elsewhere() {
    let port = echo().await;
    let world = World::new(&[&format!("a.example:{port}")], &[port]);
    world.name("a.example", &[&["127.0.0.1"]]);
    let ip = stand_in(&world, "a.example").await;
    let to = format!("{ip}:{port}");
    let head = world.dial_from(2).connect(&to).await;
    assert!(head.starts_with("HTTP/1.1 502") && head.contains("look the name up again"), "{head}");
    assert!(world.dial().connect(&to).await.starts_with("HTTP/1.1 200"), "its own box may");
    // Nor do IPv6 clothes or another spelling make it somebody's address.
    for to in [format!("[::ffff:{ip}]:1"), "198.18.0.0:1".into(), "198.19.255.255:1".into()] {
        let head = world.dial().connect(&to).await;
        assert!(!head.starts_with("HTTP/1.1 200"), "{to}: {head}");
    }
}

#[tokio::test]
async fn an_address_that_stands_for_nothing_is_never_dialled() {
    // The operator has such a network, and the rule is there: it is reached by its names alone.
    let world = World::opened(&["198.18.77.77:9", "a.example:9"], &["198.18.0.0/15"]);
    let head = world.dial().connect("198.18.77.77:9").await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
    assert_eq!(world.refusals()[0].2, Refusal::Unresolved);
}

#[tokio::test]
async fn what_is_no_question_gets_no_answer_or_a_short_one() {
    let world = World::new(&["a.example"], &[]);
    let good = question("a.example", RecordType::A).to_vec().unwrap();
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let code = async |bytes: &[u8]| said(&world, bytes).await.map(|m| m.metadata.response_code);
    assert_eq!(code(&good).await, Some(ResponseCode::NoError));
    // An answer: who answers answers talks to himself.
    assert_eq!(code(&changed(2, 0x81)).await, None);
    for short in [&good[..1], &good[..11], b"GET / HTTP/1.1\r\n"] {
        let answer = code(short).await;
        assert!(answer.is_none_or(|code| code != ResponseCode::NoError), "{short:?}");
    }
    // None, two and very many questions; records that a question does not have.
    for (at, byte) in [(5, 0), (5, 2), (4, 255), (7, 1), (6, 255), (9, 1), (11, 1), (10, 255)] {
        assert_eq!(code(&changed(at, byte)).await, Some(ResponseCode::FormErr), "{at}");
    }
    for op in [OpCode::Status, OpCode::Notify, OpCode::Update] {
        let mut message = question("a.example", RecordType::A);
        message.metadata.op_code = op;
        let answer = code(&message.to_vec().unwrap()).await;
        assert_eq!(answer, Some(ResponseCode::NotImp), "{op:?}");
    }
    // Names that point at themselves, at each other, forwards and beyond the end.
    for pointer in [[0xc0, 12], [0xc0, 14], [0xc0, 0xff], [0xff, 0xff], [0x80, 0]] {
        let mut bytes = good[..12].to_vec();
        bytes.extend([1, b'a'].iter().chain(&pointer).chain(&[0xc0, 12, 0, 1, 0, 1]));
        assert_eq!(code(&bytes).await, Some(ResponseCode::FormErr), "{pointer:?}");
    }
    // A name longer than names may be.
    let mut bytes = good[..12].to_vec();
    for _ in 0..6 {
        bytes.push(63);
        bytes.extend([b'a'; 63]);
    }
    bytes.extend([0, 0, 1, 0, 1]);
    assert_eq!(code(&bytes).await, Some(ResponseCode::FormErr));
    assert!(lookups(&world).is_empty());
}

#[tokio::test]
async fn a_connection_carries_many_questions_in_any_pieces() {
    let world = World::new(&["*.a.example"], &[]);
    let mut stream = world.names_of(0);
    let ask = |n: u16| {
        let mut message = question(&format!("n{n}.a.example"), RecordType::A);
        message.metadata.id = n;
        framed(&message.to_vec().unwrap())
    };
    let all: Vec<u8> = (0..500).flat_map(ask).collect();
    stream.write_all(&all).await.unwrap();
    for n in 0..500 {
        assert_eq!(next(&mut stream).await.unwrap().metadata.id, n);
    }
    for byte in ask(500) {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(next(&mut stream).await.unwrap().metadata.id, 500);
    // What is too long, or nothing, ends it; so does an end in the middle.
    for last in [&[0xff, 0xff][..], &[0, 0], &[0, 20, 1, 2, 3]] {
        let mut stream = world.names_of(0);
        stream.write_all(&ask(1)).await.unwrap();
        stream.write_all(last).await.unwrap();
        stream.shutdown().await.unwrap();
        assert!(next(&mut stream).await.is_some());
        assert!(next(&mut stream).await.is_none());
    }
}

#[tokio::test]
async fn a_box_that_opens_connections_without_end_stops_nobody_else() {
    let world = World::new(&["a.example"], &[]);
    let mut held = Vec::new();
    let bytes = framed(&question("a.example", RecordType::A).to_vec().unwrap());
    let mut refused = 0;
    for _ in 0..300 {
        let mut stream = world.names_of(0);
        let _ = stream.write_all(&bytes).await;
        match next(&mut stream).await {
            Some(_) => held.push(stream),
            None => refused += 1,
        }
    }
    assert_eq!((held.len(), refused), (128, 172));
    let mut other = world.names_of(2);
    other.write_all(&bytes).await.unwrap();
    assert!(next(&mut other).await.is_some());
}

proptest! {
    #[test]
    fn no_bytes_break_it(
        junk in prop::collection::vec(any::<u8>(), 1..300),
        at in 0_usize..40,
        byte in any::<u8>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(&["a.example"], &[]);
            let mut near = question("a.example", RecordType::A);
            near.set_edns(Edns::new());
            let mut near = near.to_vec().unwrap();
            let at = at % near.len();
            near[at] = byte;
            let long = [&near[..], &junk].concat();
            for bytes in [&junk, &near, &long] {
                // One that is read is an answer, which `next` looks at.
                let _ = said(&world, bytes).await;
            }
            assert!(lookups(&world).is_empty());
        });
    }
}
