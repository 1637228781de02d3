//! Sockets end to end: a real client, a real engine's side, the edge between them.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use smartbox_core::smartbox::State;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, http::StatusCode};

use crate::support::{Front, HOST, World, soon};

type Socket = WebSocketStream<TcpStream>;

/// An engine that hands its sockets and their handshakes to the test.
async fn engine() -> (SocketAddr, mpsc::UnboundedReceiver<(Socket, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (send, receive) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut seen = String::new();
            #[expect(clippy::result_large_err, reason = "the callback's type is the library's")]
            let look = |request: &Request, response: Response| {
                seen = format!("{} {:?}", request.uri(), request.headers());
                Ok(response)
            };
            if let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, look).await {
                let _ = send.send((socket, seen));
            }
        }
    });
    (addr, receive)
}

async fn open(front: &Front, headers: &[(&'static str, &'static str)]) -> Result<Socket, Error> {
    let mut request = format!("ws://{HOST}/chat?x=1").into_client_request().unwrap();
    let map = request.headers_mut();
    map.insert("cookie", HeaderValue::from_static("smartbox_session=good"));
    map.insert("origin", HeaderValue::from_static("http://pa.localhost"));
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_static(value));
    }
    let stream = front.connect().await;
    tokio_tungstenite::client_async(request, stream).await.map(|(socket, _)| socket)
}

fn status(result: Result<Socket, Error>) -> StatusCode {
    match result {
        Err(Error::Http(response)) => response.status(),
        other => panic!("{other:?}"),
    }
}

async fn hear(socket: &mut Socket) -> Message {
    soon(socket.next()).await.expect("the socket is open").expect("no error")
}

#[tokio::test]
async fn messages_pass_both_ways_untouched() {
    let (addr, mut sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    let mut client =
        open(&front, &[("sec-websocket-extensions", "permessage-deflate")]).await.unwrap();
    let (mut engine, seen) = sockets.recv().await.unwrap();
    assert!(seen.starts_with("/chat?x=1"), "{seen}");
    for part in ["x-smartbox-user", "192.0.2.1", "http://127.0.0.1:18789", "pa.localhost"] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
    for part in ["deflate", "smartbox_session"] {
        assert!(!seen.contains(part), "{part} in {seen}");
    }
    for size in [0, 1, 125, 126, 4096, 4097, 65_535, 65_536, 3_000_000] {
        let text = Message::text("é".repeat(size / 2));
        let bytes = Message::binary(vec![7; size]);
        for message in [text, bytes] {
            let (there, back) = (message.clone(), message.clone());
            let (sent, heard) = tokio::join!(client.send(there), hear(&mut engine));
            sent.unwrap();
            assert!(heard == message, "{size} to the engine");
            let (sent, heard) = tokio::join!(engine.send(back), hear(&mut client));
            sent.unwrap();
            assert!(heard == message, "{size} to the client");
        }
    }
    client.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(hear(&mut engine).await, Message::Ping("p".into()));
    engine.flush().await.unwrap();
    assert_eq!(hear(&mut client).await, Message::Pong("p".into()));
    let frame = CloseFrame { code: CloseCode::Policy, reason: "pairing required".into() };
    engine.close(Some(frame.clone())).await.unwrap();
    assert_eq!(hear(&mut client).await, Message::Close(Some(frame)));
}

#[tokio::test]
async fn a_socket_is_opened_by_the_boxes_own_page_only() {
    let (addr, _sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    for origin in ["http://evil.localhost", "http://localhost", "https://pa.localhost", "null"] {
        assert_eq!(status(open(&front, &[("origin", origin)]).await), 403, "{origin}");
    }
    let cookie = [("cookie", "smartbox_session=bad")];
    assert_eq!(status(open(&front, &cookie).await), 401);
    assert_eq!(World::count(&front.world.dials), 0);
    let bare = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
                sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    assert_eq!(front.ask("GET /", bare).await.status, 403);
    let own = "sec-fetch-site: same-origin\r\n";
    assert_eq!(front.ask("GET /", &format!("{bare}{own}")).await.status, 403);
}

#[tokio::test]
async fn opening_a_socket_wakes_the_box() {
    let (addr, mut sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    front.world.set(State::Stopped);
    let _client = open(&front, &[]).await.unwrap();
    sockets.recv().await.unwrap();
    assert_eq!(World::count(&front.world.wakes), 1);
}

#[tokio::test]
async fn an_engines_refusal_is_passed_on() {
    let refuses =
        crate::support::liar(b"HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy", false).await;
    let front = Front::new(World::new(Some(refuses))).await;
    assert_eq!(status(open(&front, &[]).await), 503);
}

#[tokio::test]
async fn an_engine_that_lies_in_the_handshake_is_not_believed() {
    for answer in [
        &b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"[..],
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
          sec-websocket-extensions: permessage-deflate\r\n\r\n",
        b"nonsense\r\n\r\n",
    ] {
        let front = Front::new(World::new(Some(crate::support::liar(answer, false).await))).await;
        assert_eq!(status(open(&front, &[]).await), 502);
    }
}

#[tokio::test]
async fn a_frozen_boxes_page_stays_and_its_person_wakes_it() {
    let (addr, mut sockets) = engine().await;
    let world = World::new(Some(addr));
    let front = Front::with(world, |settings| {
        settings.engine.tick_interval = std::time::Duration::from_millis(20);
    })
    .await;
    let mut client = open(&front, &[]).await.unwrap();
    let (mut engine, _) = sockets.recv().await.unwrap();
    front.world.set(State::Frozen);
    let tick = r#"{"type":"event","event":"tick","payload":{"ts":1700000000000}}"#;
    let mut ticks = 0;
    while ticks < 3 {
        match hear(&mut client).await {
            Message::Text(text) => {
                assert_eq!(text.as_str(), tick);
                ticks += 1;
            }
            Message::Ping(_) => client.flush().await.unwrap(),
            other => panic!("{other:?}"),
        }
    }
    let poll = r#"{"type":"req","id":"1","method":"sessions.catalog.list"}"#;
    let send = r#"{"type":"req","id":"2","method":"chat.send","params":{}}"#;
    client.send(Message::text(poll)).await.unwrap();
    assert_eq!(World::count(&front.world.wakes), 0);
    client.send(Message::text(send)).await.unwrap();
    assert_eq!(hear(&mut engine).await, Message::text(poll));
    assert_eq!(hear(&mut engine).await, Message::text(send));
    assert_eq!(World::count(&front.world.wakes), 1);
}

#[tokio::test]
async fn a_drain_closes_sockets_with_1012() {
    let (addr, mut sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    let mut client = open(&front, &[]).await.unwrap();
    let (mut engine, _) = sockets.recv().await.unwrap();
    front.drain.cancel();
    let frame = CloseFrame { code: CloseCode::Restart, reason: "service restart".into() };
    assert_eq!(hear(&mut client).await, Message::Close(Some(frame)));
    assert!(matches!(hear(&mut engine).await, Message::Close(_)));
    drop((client, engine));
    soon(front.edge.drained()).await;
}

#[tokio::test]
async fn leaving_closes_the_sockets_of_the_session() {
    let (addr, mut sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    let mut client = open(&front, &[]).await.unwrap();
    let _engine = sockets.recv().await.unwrap();
    let answer = front.ask("POST /_smartbox/leave", "origin: http://pa.localhost\r\n").await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let Message::Close(Some(frame)) = hear(&mut client).await else { panic!("a close frame") };
    assert_eq!(frame.code, CloseCode::Policy);
}

#[tokio::test]
async fn bytes_behind_the_handshake_are_not_lost() {
    let (addr, mut sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    let mut stream = front.connect().await;
    let head = format!(
        "GET / HTTP/1.1\r\nhost: {HOST}\r\ncookie: smartbox_session=good\r\n\
         origin: http://pa.localhost\r\nupgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(b"\x81\x82\0\0\0\0hi");
    stream.write_all(&bytes).await.unwrap();
    let (mut engine, _) = sockets.recv().await.unwrap();
    assert_eq!(hear(&mut engine).await, Message::text("hi"));
    // An unmasked frame of a client ends the relay with 1002.
    stream.write_all(b"\x81\x02hi").await.unwrap();
    let mut rest = Vec::new();
    soon(stream.read_to_end(&mut rest)).await.unwrap();
    let close = b"\x88\x10\x03\xeaprotocol error";
    assert!(rest.ends_with(close), "{}", String::from_utf8_lossy(&rest));
}

async fn closed(client: &mut Socket) -> u16 {
    loop {
        match soon(client.next()).await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_flood_of_frames_ends_its_socket_and_no_other() {
    let (addr, mut sockets) = engine().await;
    let front = Front::with(World::new(Some(addr)), |settings| {
        settings.limits.frames = smartbox_core::limit::Rate::parse("1/h", 50).ok();
        settings.limits.frame_flow = smartbox_core::limit::Rate::parse("1/h", 100_000).ok();
    })
    .await;
    let mut good = open(&front, &[]).await.unwrap();
    let (mut engine, _) = sockets.recv().await.unwrap();
    for flood in [Message::text("x"), Message::Ping("x".into()), Message::binary(vec![0; 70_000])] {
        let client = open(&front, &[]).await.unwrap();
        let (mut far, _) = sockets.recv().await.unwrap();
        tokio::spawn(async move { while let Some(Ok(_)) = far.next().await {} });
        // As much as it takes, or until the edge hangs up.
        let (mut say, mut listen) = client.split();
        let saying = tokio::spawn(async move { while say.send(flood.clone()).await.is_ok() {} });
        let code = loop {
            match soon(listen.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        saying.abort();
        assert_eq!(code, 1008);
    }
    good.send(Message::text("still here")).await.unwrap();
    assert_eq!(hear(&mut engine).await, Message::text("still here"));
}

#[tokio::test]
async fn one_session_opens_so_many_sockets() {
    let (addr, mut sockets) = engine().await;
    let front = Front::with(World::new(Some(addr)), |settings| settings.limits.sockets = 2).await;
    let one = open(&front, &[]).await.unwrap();
    let _two = open(&front, &[]).await.unwrap();
    assert_eq!(status(open(&front, &[]).await), StatusCode::TOO_MANY_REQUESTS);
    drop(one);
    drop((sockets.recv().await, sockets.recv().await));
    soon(async { while open(&front, &[]).await.is_err() {} }).await;
}

#[tokio::test]
async fn a_frame_that_says_it_is_endless_ends_its_socket() {
    let (addr, _sockets) = engine().await;
    let front = Front::new(World::new(Some(addr))).await;
    let mut client = open(&front, &[]).await.unwrap();
    let raw = client.get_mut();
    raw.write_all(&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])
        .await
        .unwrap();
    assert_eq!(closed(&mut client).await, 1009);
}
