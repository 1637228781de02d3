//! So much in a minute, so much in a day, and not a byte more, however it is tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use smartbox_core::egress::{Quota, Refusal};
use smartbox_egress::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{Inside, World, echo, web};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
/// No multiple of a buffer's size.
const LIMIT: u64 = 1_000_003;

fn limits(quota: Quota) -> Limits {
    Limits { quota, ..Limits::default() }
}

/// A box that may send so much to `to` in a day.
fn world(to: &str, port: u16, quota: Quota) -> World {
    let world = World::with(&[to], &[port], limits(quota));
    world.name("sink.test", &[&["127.0.0.1"]]);
    world
}

/// A server that takes everything and says nothing; and how much it took.
async fn sink() -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let taken = counter.clone();
            tokio::spawn(async move {
                let mut piece = vec![0; 64 << 10];
                while let Ok(n @ 1..) = stream.read(&mut piece).await {
                    taken.fetch_add(n as u64, Ordering::SeqCst);
                }
            });
        }
    });
    (port, taken)
}

/// Sends until it is cut; how many bytes the broker took.
async fn flood(inside: &mut Inside, piece: usize) -> u64 {
    let (mut sent, piece) = (0, vec![b'x'; piece]);
    // Far more than the broker's own buffers hold.
    while sent < LIMIT * 4 && inside.0.write_all(&piece).await.is_ok() {
        sent += piece.len() as u64;
    }
    sent
}

fn volumes(world: &World) -> usize {
    world.refusals().iter().filter(|(.., why)| *why == Refusal::Volume).count()
}

#[tokio::test]
async fn one_huge_upload_is_cut_at_the_last_byte_of_the_day_once() {
    let (port, taken) = sink().await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: LIMIT, ..Quota::default() });
    let mut inside = world.dial();
    assert!(inside.connect(&to).await.starts_with("HTTP/1.1 200"));
    assert!(flood(&mut inside, 70_000).await < LIMIT * 4, "it was cut");
    inside.rest().await;
    world.until(|world| volumes(world) == 1).await;
    assert!(taken.load(Ordering::SeqCst) <= LIMIT);
    assert_eq!(world.moved().0, LIMIT);
    // From here on nothing is opened, and the answer says why and until when.
    let head = world.dial().connect(&to).await;
    let wanted = "HTTP/1.1 429 pa has used up its bytes of today (1000003 B out); \
                  the next day begins at 00:00 UTC; the operator raises it: egress.out_per_day";
    assert!(head.starts_with(wanted), "{head}");
    let again = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
    assert!((1..=86_400).contains(&again.parse::<u64>().unwrap()), "{head}");
    assert_eq!(volumes(&world), 2);
    assert_eq!(world.fake.lookups.lock().unwrap().len(), 1, "no name was looked up for it");
}

#[tokio::test]
async fn a_slow_drip_ends_with_the_day_s_bytes_too() {
    let (port, taken) = sink().await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: 300, ..Quota::default() });
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut sent = 0;
    // One byte, and the next when it has arrived: no buffer holds anything.
    while inside.0.write_all(b"x").await.is_ok() {
        sent += 1;
        if sent > 300 {
            break;
        }
        world.until(|_| taken.load(Ordering::SeqCst) == sent).await;
    }
    assert_eq!(inside.rest().await, b"");
    world.until(|world| volumes(world) == 1).await;
    assert_eq!(taken.load(Ordering::SeqCst), 300);
    assert_eq!(world.moved(), (300, 0));
}

#[tokio::test]
async fn many_at_once_share_the_last_byte() {
    let (port, taken) = sink().await;
    let to = format!("sink.test:{port}");
    let world = Arc::new(world(&to, port, Quota { up: LIMIT, ..Quota::default() }));
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut inside = world.dial();
        assert!(inside.connect(&to).await.starts_with("HTTP/1.1 200"));
        open.push(inside);
    }
    let mut floods = tokio::task::JoinSet::new();
    for mut inside in open {
        floods.spawn(async move {
            flood(&mut inside, 10_007).await;
            inside.rest().await;
        });
    }
    floods.join_all().await;
    world.until(|world| volumes(world) == 8).await;
    // Not one byte beyond: what may pass is taken before it passes.
    assert!(taken.load(Ordering::SeqCst) <= LIMIT);
    assert_eq!(world.moved().0, LIMIT);
    assert_eq!(*world.fake.readings.lock().unwrap(), 1, "the account was read once");
}

#[tokio::test]
async fn many_small_uploads_add_up_their_heads_too() {
    let (port, heard) = web(OK).await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: 20_000, ..Quota::default() });
    // Nothing in a body: all of it in the path, the query and a header.
    let data = "d".repeat(500);
    let mut passed = 0;
    for n in 0..100 {
        let mut inside = world.dial();
        let request = format!(
            "GET http://{to}/{data}?{data} HTTP/1.1\r\nHost: {to}\r\nX-Data: {data}\r\n\r\n"
        );
        inside.send(request).await;
        let head = inside.head().await;
        if !head.starts_with("HTTP/1.1 200") {
            assert!(head.starts_with("HTTP/1.1 429") && n > 5, "{n}: {head}");
            break;
        }
        passed += 1;
    }
    assert!((10..=13).contains(&passed), "{passed} of 1,550 bytes each within 20,000");
    let arrived: usize = heard.lock().unwrap().iter().map(String::len).sum();
    assert!(arrived <= 20_000 + passed * 20, "{arrived}");
    assert_eq!(volumes(&world), 1);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_answered_and_the_server_never_has_it_whole() {
    let (port, taken) = sink().await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: LIMIT, ..Quota::default() });
    let inside = world.dial();
    let (mut read, mut write) = tokio::io::split(inside.0);
    let body = 3 * LIMIT;
    let head =
        format!("POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nContent-Length: {body}\r\n\r\n");
    let sending = tokio::spawn(async move {
        write.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![b'x'; 50_000];
        while write.write_all(&piece).await.is_ok() {}
    });
    let mut answer = Vec::new();
    let _ = read.read_to_end(&mut answer).await;
    drop(read);
    sending.await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains(r#""code":"volume""#), "{answer}");
    assert!(taken.load(Ordering::SeqCst) <= LIMIT + 100);
    assert_eq!(world.refusals().len(), 1, "{:?}", world.refusals());
}

#[tokio::test]
async fn what_a_server_says_unasked_counts_and_ends() {
    // A server that speaks first, and never stops.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let piece = vec![b'y'; 10_000];
        while stream.write_all(&piece).await.is_ok() {}
    });
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { down: LIMIT, ..Quota::default() });
    let mut inside = world.dial();
    inside.connect(&to).await;
    let got = inside.rest().await.len() as u64;
    assert!(got <= LIMIT, "{got}");
    world.until(|world| volumes(world) == 1).await;
    assert_eq!(world.moved(), (0, LIMIT));
}

#[tokio::test]
async fn a_restart_gives_no_bytes_and_neither_does_being_forgotten() {
    let port = echo().await;
    let to = format!("sink.test:{port}");
    let mut world = world(&to, port, Quota { up: 100, ..Quota::default() });
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send([b'x'; 60]).await;
    inside.exactly(60).await;
    drop(inside);
    world.until(|world| world.moved().0 == 60).await;
    for round in 0..2 {
        if round == 0 {
            world.restart();
        } else {
            world.forget();
        }
        let mut inside = world.dial();
        assert!(inside.connect(&to).await.starts_with("HTTP/1.1 200"));
        drop(inside);
    }
    world.restart();
    let mut inside = world.dial();
    inside.connect(&to).await;
    inside.send([b'x'; 41]).await;
    inside.rest().await;
    world.until(|world| volumes(world) == 1).await;
    assert_eq!(world.moved().0, 100);
    world.restart();
    assert!(world.dial().connect(&to).await.starts_with("HTTP/1.1 429"));
}

#[tokio::test]
async fn so_many_connections_in_a_minute_and_no_more() {
    let port = echo().await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { per_minute: 5, ..Quota::default() });
    let mut open = Vec::new();
    let mut refused = None;
    // A slow machine may get another one back every twelve seconds.
    for _ in 0..50 {
        let mut inside = world.dial();
        let head = inside.connect(&to).await;
        if head.starts_with("HTTP/1.1 429") {
            refused = Some(head);
            break;
        }
        open.push(inside);
    }
    let head = refused.expect("a refusal");
    assert!(open.len() >= 5, "{}", open.len());
    assert!(head.contains("pa makes more than 5 connections in a minute; wait a minute"), "{head}");
    assert!(head.contains("retry-after: 12\r\n"), "{head}");
    assert_eq!(world.refusals(), [("sink.test".into(), port, Refusal::Rate)]);
    // What is open goes on.
    open[0].send("still").await;
    assert_eq!(open[0].exactly(5).await, b"still");
}

#[tokio::test]
async fn requests_in_one_tunnel_count_as_connections_do() {
    let (port, heard) = web(OK).await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { per_minute: 4, ..Quota::default() });
    let mut inside = world.dial();
    inside.connect(&to).await;
    let mut heads = Vec::new();
    for _ in 0..50 {
        inside.send(format!("GET / HTTP/1.1\r\nHost: {to}\r\n\r\n")).await;
        heads.push(inside.head().await);
        if !heads.last().unwrap().starts_with("HTTP/1.1 200") {
            break;
        }
        inside.exactly(2).await;
    }
    assert!(heads.last().unwrap().starts_with("HTTP/1.1 429"), "{heads:?}");
    // The tunnel's own connection to the server heard nothing.
    let asked = heard.lock().unwrap().iter().filter(|text| !text.is_empty()).count();
    assert_eq!(asked, heads.len() - 1);
    assert_eq!(world.refusals().len(), 1);
}

#[tokio::test]
async fn what_hides_in_trailers_counts() {
    let (port, heard) = web(OK).await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: 5_000, ..Quota::default() });
    let data = "d".repeat(2_000);
    let mut answers = Vec::new();
    for _ in 0..4 {
        let mut inside = world.dial();
        let request = format!(
            "POST http://{to}/ HTTP/1.1\r\nHost: {to}\r\nTE: trailers\r\nTrailer: x-data\r\n\
             Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-data: {data}\r\n\r\n"
        );
        inside.send(request).await;
        let head = inside.head().await;
        answers.push(head.get(9..12).unwrap_or_default().to_owned());
    }
    world.until(|world| volumes(world) > 0).await;
    let arrived: usize = heard.lock().unwrap().iter().map(|text| text.matches('d').count()).sum();
    assert!(arrived <= 5_000, "{arrived} of {answers:?}");
    assert_eq!(answers.last().map(String::as_str), Some("429"), "{answers:?}");
}

#[tokio::test]
async fn a_websocket_is_cut_as_a_tunnel_is() {
    let up =
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let (port, heard) = web(up).await;
    let to = format!("sink.test:{port}");
    let world = world(&to, port, Quota { up: LIMIT, ..Quota::default() });
    let mut inside = world.dial();
    inside
        .send(format!(
            "GET http://{to}/ HTTP/1.1\r\nHost: {to}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        ))
        .await;
    assert!(inside.head().await.starts_with("HTTP/1.1 101"));
    assert!(flood(&mut inside, 30_011).await < LIMIT * 4, "it was cut");
    inside.rest().await;
    world.until(|world| volumes(world) == 1).await;
    let arrived: usize = heard.lock().unwrap().iter().map(|text| text.matches('x').count()).sum();
    assert!(arrived as u64 <= LIMIT, "{arrived}");
    assert_eq!(world.moved().0, LIMIT);
}
