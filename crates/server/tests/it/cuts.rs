//! What somebody has open ends when they may no more, and what others have open does not.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Method};
use reqwest::Response;
use serde_json::{Value, json};
use smartbox_api::exec::live::PROTOCOL;
use smartbox_core::person::{Right, Role, Whom};
use smartbox_core::smartbox::State;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::rights::Guest;
use crate::sign_in::{HEADER, behind_access_with, rule, token};
use crate::tenancy::Tenant;
use crate::world::{MASTER, Manner, World};

const LONG: Duration = Duration::from_secs(60);

/// A platform whose box runs.
async fn awake() -> (World, Tenant) {
    let world = World::new().await;
    let pa = world.pa().await;
    world.app.control.settle(&pa.id, &[State::Running], LONG).await.unwrap();
    let me = Tenant { account: world.app.account.clone(), token: world.token.clone() };
    (world, me)
}

/// Everything that somebody may have open at once.
struct Open<'w> {
    world: &'w World,
    /// By its path: a log, a log in lines, what happens to a message.
    streams: Vec<(String, Response)>,
    /// A command, if they may run one.
    command: Option<WebSocketStream<TcpStream>>,
}

impl<'w> Open<'w> {
    async fn all(world: &'w World, (name, value): (&str, &str), commands: bool) -> Self {
        let said = json!({ "text": "for ever" });
        let said = world.as_owner(Method::POST, "/api/v1/boxes/pa/messages").json(&said);
        let said: Value = said.send().await.unwrap().json().await.unwrap();
        let id = world.pa().await.id;
        let mut streams = Vec::new();
        for path in [
            format!("/api/v1/boxes/{id}/log?follow=true&tail=0"),
            format!("/api/v1/boxes/{id}/logs?follow=true&tail=0"),
            format!("/api/v1/messages/{}/events", said["id"].as_str().unwrap()),
        ] {
            let asked = world.ask(Method::GET, &path).header(name, value);
            let answer = asked.send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            streams.push((path, answer));
        }
        let mut open = Self { world, streams, command: None };
        if commands {
            open.command = Some(open.run(&format!("/api/v1/boxes/{id}/exec"), name, value).await);
        }
        open.goes_on().await;
        open
    }

    async fn run(&self, path: &str, name: &str, value: &str) -> WebSocketStream<TcpStream> {
        let port = self.world.port;
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut request = format!("ws://127.0.0.1:{port}{path}").into_client_request().unwrap();
        for (name, value) in [
            ("origin", self.world.origin().as_str()),
            ("sec-websocket-protocol", PROTOCOL),
            (name, value),
        ] {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        socket.send(Message::text(json!({ "argv": ["cat"] }).to_string())).await.unwrap();
        let begun = timeout(LONG, socket.next()).await.unwrap().unwrap().unwrap();
        assert!(begun.to_text().unwrap().contains("started"), "{begun}");
        socket
    }

    /// Something comes through each log, and the command answers.
    async fn goes_on(&mut self) {
        let pa = self.world.pa().await.id;
        self.world.sim.log(&pa, "2099-01-01T00:00:00.000+00:00 [gateway] still there");
        for (path, stream) in self.streams.iter_mut().filter(|(path, _)| path.contains("/log")) {
            let mut seen = Vec::new();
            while !String::from_utf8_lossy(&seen).contains("still there") {
                let part = timeout(LONG, stream.chunk()).await.unwrap();
                seen.extend_from_slice(&part.unwrap().unwrap_or_else(|| panic!("{path} ended")));
            }
        }
        if let Some(command) = &mut self.command {
            command.send(Message::binary(b"hello".to_vec())).await.unwrap();
            loop {
                let heard = timeout(LONG, command.next()).await.unwrap().unwrap().unwrap();
                if let Message::Binary(heard) = heard {
                    assert!(heard.ends_with(b"hello"));
                    return;
                }
            }
        }
    }

    /// Each is broken off, so that nobody takes what came for all there is.
    async fn ends(mut self) {
        for (path, mut stream) in self.streams {
            let rest = timeout(LONG, async {
                loop {
                    match stream.chunk().await {
                        Ok(Some(_)) => {}
                        Ok(None) => return false,
                        Err(_) => return true,
                    }
                }
            });
            let cut = rest.await.unwrap_or_else(|_| panic!("{path} goes on"));
            assert!(cut, "{path} just ended");
        }
        if let Some(command) = self.command.take() {
            command_is_cut(command).await;
        }
    }
}

async fn command_is_cut(mut command: WebSocketStream<TcpStream>) {
    let closed = timeout(LONG, async {
        loop {
            match command.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    });
    assert_eq!(closed.await.expect("the command goes on"), Some(1008));
}

async fn done(world: &World, method: Method, path: &str, body: Value) {
    let asked = world.ask(method, path).bearer_auth(MASTER).json(&body);
    let answer = asked.send().await.unwrap();
    let status = answer.status();
    assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
}

#[tokio::test]
async fn a_share_that_is_taken_away_ends_what_was_open_by_it() {
    let (world, me) = awake().await;
    let pa = world.pa().await;
    let guest = Guest::new(&world, &me, None, Some((&pa, Right::Manage))).await;
    let other = Guest::new(&world, &me, None, Some((&pa, Right::Manage))).await;
    let mut theirs = Open::all(&world, ("cookie", &guest.cookie), true).await;
    let mut others = Open::all(&world, ("cookie", &other.cookie), true).await;
    // Somebody else signs out: they are asked for again, and go on.
    let third = Guest::new(&world, &me, Some(Role::Viewer), None).await;
    world.app.access.end(third.cookie.split_once('=').unwrap().1, "test").await.unwrap();
    theirs.goes_on().await;
    let path = format!("/api/v1/boxes/pa/shares/{}", guest.id);
    done(&world, Method::DELETE, &path, json!({})).await;
    theirs.ends().await;
    others.goes_on().await;
    // Who may less looks on, and runs nothing any more.
    let path = format!("/api/v1/boxes/pa/shares/{}", other.id);
    done(&world, Method::PUT, &path, json!({ "right": "read" })).await;
    command_is_cut(others.command.take().unwrap()).await;
    others.goes_on().await;
}

#[tokio::test]
async fn a_member_who_is_one_no_more_has_nothing_open_but_what_is_shared_with_them() {
    let (world, me) = awake().await;
    let pa = world.pa().await;
    let plain = Guest::new(&world, &me, Some(Role::Member), None).await;
    let shared = Guest::new(&world, &me, Some(Role::Member), Some((&pa, Right::Read))).await;
    let theirs = Open::all(&world, ("cookie", &plain.cookie), true).await;
    let mut kept = Open::all(&world, ("cookie", &shared.cookie), true).await;
    for id in [&plain.id, &shared.id] {
        let path = format!("/api/v1/accounts/me/members/{id}");
        done(&world, Method::DELETE, &path, json!({})).await;
    }
    theirs.ends().await;
    command_is_cut(kept.command.take().unwrap()).await;
    kept.goes_on().await;
}

#[tokio::test]
async fn who_came_by_anothers_word_is_shut_out_as_anybody_is() {
    let rules = vec![rule(Whom::Email("ada@example.com".into()), Role::Member)];
    let (world, mut peer) = behind_access_with(Manner::default(), rules).await;
    let pa = world.pa().await;
    world.app.control.settle(&pa.id, &[State::Running], LONG).await.unwrap();
    let good = token(&mut peer, json!({})).await;
    let open = Open::all(&world, (HEADER, &good), false).await;
    let path = "/api/v1/people/ada@example.com";
    done(&world, Method::PATCH, path, json!({ "disabled": true })).await;
    open.ends().await;
}

fn head_is_there(seen: &[u8]) -> bool {
    seen.windows(4).any(|four| four == b"\r\n\r\n")
}

/// A request whose body still comes, and is read.
struct Coming(TcpStream);

impl Coming {
    async fn new(world: &World, line: &str, cookie: &str) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
        let (host, origin) = (world.origin().replace("http://", ""), world.origin());
        let head = format!(
            "{line} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncookie: {cookie}\r\n\
             content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 6\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        // Said when somebody wants the body.
        while !head_is_there(&seen) {
            assert!(timeout(LONG, stream.read_buf(&mut seen)).await.unwrap().unwrap() > 0);
        }
        assert!(seen.starts_with(b"HTTP/1.1 100"), "{line}: {}", String::from_utf8_lossy(&seen));
        stream.write_all(b"one").await.unwrap();
        Self(stream)
    }

    /// What is answered before the body is there, after which nothing more is read.
    async fn ends(mut self) -> String {
        let mut rest = Vec::new();
        let _ = timeout(LONG, self.0.read_to_end(&mut rest)).await.expect("it is still read");
        String::from_utf8_lossy(&rest).into_owned()
    }

    async fn goes_on(mut self) -> String {
        self.0.write_all(b"two").await.unwrap();
        let mut seen = Vec::new();
        while !head_is_there(&seen) {
            assert!(timeout(LONG, self.0.read_buf(&mut seen)).await.unwrap().unwrap() > 0);
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}

#[tokio::test]
async fn an_upload_under_way_ends_with_its_askers_session_and_leaves_nothing() {
    let (world, me) = awake().await;
    let guest = Guest::new(&world, &me, Some(Role::Member), None).await;
    let other = Guest::new(&world, &me, Some(Role::Member), None).await;
    let file = "/api/v1/boxes/pa/files/content?path=half";
    let put = format!("PUT {file}");
    let mut theirs = Vec::new();
    for line in [
        put.as_str(),
        "PUT /api/v1/boxes/pa/files/archive?path=to",
        "POST /api/v1/imports?name=new",
        "POST /api/v1/boxes/pa/messages",
    ] {
        theirs.push((line, Coming::new(&world, line, &guest.cookie).await));
    }
    let others = Coming::new(&world, &put, &other.cookie).await;
    world.app.access.end(guest.cookie.split_once('=').unwrap().1, "test").await.unwrap();
    for (line, upload) in theirs {
        let answer = upload.ends().await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{line}: {answer}");
    }
    assert_eq!(world.as_owner(Method::GET, file).send().await.unwrap().status(), 404);
    let answer = others.goes_on().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let kept = world.as_owner(Method::GET, file).send().await.unwrap();
    assert_eq!(kept.text().await.unwrap(), "onetwo");
}

#[tokio::test]
async fn who_waits_for_an_answer_is_not_told_it_any_more() {
    let world = World::new().await;
    let me = Tenant { account: world.app.account.clone(), token: world.token.clone() };
    let guest = Guest::new(&world, &me, Some(Role::Member), None).await;
    let asked = world.ask(Method::GET, "/api/v1/boxes/pa/history?session=for+ever");
    let asked = tokio::spawn(asked.header("cookie", &guest.cookie).send());
    // It was let in: the box wakes for it.
    let pa = world.pa().await;
    world.app.control.settle(&pa.id, &[State::Running], LONG).await.unwrap();
    world.app.access.end(guest.cookie.split_once('=').unwrap().1, "test").await.unwrap();
    let answer = timeout(LONG, asked).await.expect("it still waits").unwrap().unwrap();
    assert_eq!(answer.status(), 401);
}
