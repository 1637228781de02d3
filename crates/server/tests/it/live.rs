//! Commands over a WebSocket: who may open one, what goes over it, and how it ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use smartbox_api::exec::live::PROTOCOL;
use smartbox_core::smartbox::State;
use smartbox_server::http::routes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::tenancy::Tenant;
use crate::world::World;

const LONG: Duration = Duration::from_secs(60);
const PATH: &str = "/api/v1/boxes/pa/exec";

type Headers<'a> = &'a [(&'static str, &'a str)];

async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    path: &str,
    headers: Headers<'_>,
) -> Result<WebSocketStream<S>, Error> {
    let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    tokio_tungstenite::client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn by_tcp(
    world: &World,
    path: &str,
    headers: Headers<'_>,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    open(stream, &format!("127.0.0.1:{}", world.port), path, headers).await
}

async fn as_owner(world: &World) -> WebSocketStream<TcpStream> {
    let bearer = format!("Bearer {}", world.token);
    let headers = [("authorization", bearer.as_str()), ("sec-websocket-protocol", PROTOCOL)];
    by_tcp(world, PATH, &headers).await.unwrap()
}

fn refused<S>(opened: Result<WebSocketStream<S>, Error>) -> u16 {
    match opened.err() {
        Some(Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

/// Everything that is said until the end: output, the JSON messages, the code of the closing.
async fn hear<S>(socket: &mut WebSocketStream<S>) -> (Vec<u8>, Vec<Value>, Option<u16>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut out, mut told) = (Vec::new(), Vec::new());
    let listening = async {
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Binary(bytes) => out.extend_from_slice(&bytes),
                Message::Text(text) => told.push(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return frame.map(|frame| frame.code.into()),
                _ => {}
            }
        }
        None
    };
    let code = timeout(LONG, listening).await.unwrap();
    (out, told, code)
}

async fn tell<S>(socket: &mut WebSocketStream<S>, value: Value)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket.send(Message::text(value.to_string())).await.unwrap();
}

#[tokio::test]
async fn a_command_hears_and_is_heard_and_the_end_is_told() {
    let world = World::new().await;
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": ["cat"], "tty": { "cols": 80, "rows": 24 } })).await;
    socket.send(Message::binary(b"typed\n".to_vec())).await.unwrap();
    tell(&mut socket, json!({ "type": "resize", "cols": 101, "rows": 33 })).await;
    socket.send(Message::Ping("x".into())).await.unwrap();
    tell(&mut socket, json!({ "type": "signal", "name": "TERM" })).await;
    let (out, told, code) = hear(&mut socket).await;
    assert_eq!(String::from_utf8(out).unwrap(), "typed\n33 101\n");
    assert_eq!(told[0], json!({ "type": "started" }));
    assert_eq!((&told[1]["type"], &told[1]["signal"]), (&json!("exit"), &json!(15)));
    assert_eq!(code, Some(1000));
}

#[tokio::test]
async fn without_a_terminal_each_output_is_marked_and_input_can_end() {
    let world = World::new().await;
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": ["flood", "3"] })).await;
    let (out, told, _) = hear(&mut socket).await;
    assert_eq!(out, b"\x01xxx\x02xxx");
    assert_eq!(told.last().unwrap()["code"], 0);
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": ["cat"] })).await;
    tell(&mut socket, json!({ "type": "eof" })).await;
    assert_eq!(hear(&mut socket).await.1.last().unwrap()["code"], 0);
}

#[tokio::test]
async fn the_local_socket_carries_it_too() {
    let world = World::new().await;
    let headers = [("sec-websocket-protocol", PROTOCOL)];
    let mut socket = open(world.connect().await, "localhost", PATH, &headers).await.unwrap();
    tell(&mut socket, json!({ "argv": ["exit", "7"] })).await;
    let (_, told, code) = hear(&mut socket).await;
    assert_eq!((&told[1]["code"], code), (&json!(7), Some(1000)));
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket_whatever_it_carries() {
    let world = World::new().await;
    let cookie = world.sign_in().await;
    let bearer = format!("Bearer {}", world.token);
    let own = world.origin();
    let box_page = format!("http://pa.localhost:{}", world.port);
    let protocol = ("sec-websocket-protocol", PROTOCOL);
    assert!(routes().iter().any(|route| route.socket), "there is a socket to look at");
    for route in routes().into_iter().filter(|route| route.socket) {
        assert_eq!(route.method, Method::GET);
        let path = route.path.replace("{name}", "pa");
        for origin in [box_page.as_str(), "http://evil.example", "null"] {
            for who in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
                let opened = by_tcp(&world, &path, &[protocol, who, ("origin", origin)]).await;
                assert_eq!(refused(opened), 403, "{path} {origin} {}", who.0);
            }
        }
        let silent = by_tcp(&world, &path, &[protocol, ("cookie", &cookie)]).await;
        assert_eq!(refused(silent), 403, "a cookie proves nothing about who made the browser ask");
        let unknown = by_tcp(&world, &path, &[protocol, ("origin", &own)]).await;
        assert_eq!(refused(unknown), 401);
        let other = Tenant::new(&world, "other").await;
        let other = format!("Bearer {}", other.token);
        let theirs = by_tcp(&world, &path, &[protocol, ("authorization", &other)]).await;
        assert_eq!(refused(theirs), 404, "another account's box is not there");
        let page = [protocol, ("cookie", cookie.as_str()), ("origin", own.as_str())];
        let socket = by_tcp(&world, &path, &page).await;
        assert!(socket.is_ok(), "our own page may: {:?}", socket.err());
    }
}

#[tokio::test]
async fn what_is_no_handshake_is_a_problem_and_wakes_nobody() {
    let world = World::new().await;
    let bearer = format!("Bearer {}", world.token);
    let who = ("authorization", bearer.as_str());
    assert_eq!(refused(by_tcp(&world, PATH, &[who]).await), 400, "no subprotocol");
    let other = [who, ("sec-websocket-protocol", "chat")];
    assert_eq!(refused(by_tcp(&world, PATH, &other).await), 400);
    let nobody = [who, ("sec-websocket-protocol", PROTOCOL)];
    assert_eq!(refused(by_tcp(&world, "/api/v1/boxes/no/exec", &nobody).await), 404);
    let plain = world.as_owner(Method::GET, PATH).send().await.unwrap();
    assert_eq!(plain.status(), 400);
    assert_eq!(plain.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn what_is_not_understood_closes_the_socket_and_kills_the_command() {
    let world = World::new().await;
    for (first, code) in [
        (Message::text("nonsense"), 1007),
        (Message::text(r#"{"argv":"sh -c"}"#), 1007),
        (Message::text(r#"{"argv":["x"],"tty":{"cols":70000,"rows":1}}"#), 1007),
        (Message::binary(vec![1]), 1008),
        (Message::text(format!("[{}", " ".repeat(70_000))), 1002),
    ] {
        let mut socket = as_owner(&world).await;
        let what = format!("{first:.40?}");
        let _ = socket.send(first).await;
        let (_, told, closed) = hear(&mut socket).await;
        assert_eq!((told.len(), closed), (0, Some(code)), "{what}");
    }
    for word in [r#"{"type":"signal","name":"SEGV"}"#, r#"{"type":"resize","cols":-1,"rows":1}"#] {
        let mut socket = as_owner(&world).await;
        tell(&mut socket, json!({ "argv": ["cat"] })).await;
        socket.send(Message::text(word)).await.unwrap();
        let (_, told, closed) = hear(&mut socket).await;
        assert_eq!((told.len(), closed), (1, Some(1007)), "{word}");
    }
}

#[tokio::test]
async fn a_command_that_is_not_begun_is_told_as_a_problem() {
    let world = World::new().await;
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": [] })).await;
    let (_, told, closed) = hear(&mut socket).await;
    assert_eq!((&told[0]["type"], &told[0]["code"]), (&json!("failed"), &json!("refused")));
    assert_eq!(closed, Some(1011));
    let off = world.as_owner(Method::POST, "/api/v1/boxes/pa/stop").send().await.unwrap();
    assert!(off.status().is_success());
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": ["true"] })).await;
    assert_eq!(hear(&mut socket).await.1[0]["code"], "off");
}

#[tokio::test]
async fn the_platforms_end_closes_the_socket() {
    let world = World::new().await;
    let mut socket = as_owner(&world).await;
    tell(&mut socket, json!({ "argv": ["hang"] })).await;
    let pa = world.pa().await;
    world.app.control.settle(&pa.id, &[State::Running], LONG).await.unwrap();
    world.app.draining.cancel();
    assert_eq!(hear(&mut socket).await.2, Some(1001));
}
