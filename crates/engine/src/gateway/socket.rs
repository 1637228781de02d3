//! One WebSocket connection to the engine: connect, call, listen.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::{Conn, Dial};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_util::compat::Compat;

use super::wire::{Answer, Event, Hello, Incoming, Payload, Refusal, Server, check_floor};
use super::{dial, garbled, silent};
use crate::identity;

/// One frame. The largest that OpenClaw sends is a page of a transcript, whose rows it keeps below
/// 6 MiB; an answer of ours has 4 MiB at the most.
const MAX_MESSAGE: usize = 12 << 20;
/// Frames that may pass while an answer is awaited; a busy engine sends some dozens.
const MAX_PASSING: usize = 4_096;
/// Bytes of events that are kept meanwhile.
const MAX_WAITING: usize = 8 << 20;
/// Events that somebody may wait for. Others are not kept.
const HEARD: [&str; 3] = ["chat", "agent", "shutdown"];
/// A handshake takes 10 to 60 ms; an engine under load seconds.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// The longest that any call may take.
const CALL: Duration = Duration::from_secs(30);

/// As what the platform connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Face {
    /// A program: needs nothing, may ask everything; its messages are not restart-safe.
    Program,
    /// The Control UI of this build: its messages are in the transcript before they are
    /// acknowledged, and their keys outlive a restart.
    Page {
        /// Must be the engine's own build.
        build: String,
    },
}

/// An open, signed-in connection.
pub(crate) struct Socket {
    ws: WebSocketStream<Compat<Conn>>,
    waiting: VecDeque<Event>,
    /// Bytes of them.
    held: usize,
    next_id: u64,
    /// Who answers.
    pub(crate) server: Server,
}

/// Why a connection was not opened.
pub(crate) enum Unopened {
    /// The engine is of another build than [`Face::Page`] said.
    OtherBuild,
    /// Anything else.
    Error(EngineError),
}

impl From<EngineError> for Unopened {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

impl Socket {
    /// Connects and signs in.
    pub(crate) async fn open(
        over: &dyn Dial,
        port: u16,
        floor: &str,
        face: &Face,
    ) -> Result<Self, Unopened> {
        let deadline = Instant::now() + HANDSHAKE;
        let conn = dial(over, port).await?;
        let upgrade = tokio_tungstenite::client_async_with_config(
            request(port)?,
            conn,
            Some(
                WebSocketConfig::default()
                    .max_message_size(Some(MAX_MESSAGE))
                    .max_frame_size(Some(MAX_MESSAGE)),
            ),
        );
        let ws = match timeout_at(deadline, upgrade).await {
            Ok(Ok((ws, _))) => ws,
            Ok(Err(error)) => return Err(upgrade_error(error).into()),
            Err(_) => return Err(silent("it does not answer the handshake").into()),
        };
        let server = Server { version: String::new(), build_id: String::new() };
        let mut socket = Self { ws, waiting: VecDeque::new(), held: 0, next_id: 0, server };
        match timeout_at(deadline, socket.sign_in(floor, face)).await {
            Ok(signed_in) => signed_in.map(|()| socket),
            Err(_) => Err(silent("it does not answer the handshake").into()),
        }
    }

    async fn sign_in(&mut self, floor: &str, face: &Face) -> Result<(), Unopened> {
        loop {
            match self.frame().await? {
                Incoming::Event(event) if event.event == "connect.challenge" => break,
                Incoming::Res(Answer { ok: false, error, .. }) => {
                    return Err(error.unwrap_or_default().into_error().into());
                }
                _ => {}
            }
        }
        let answer = self.exchange("connect", connect_params(face)).await?;
        match answer {
            Ok(payload) => {
                let hello: Hello =
                    payload.read().map_err(|_| garbled("its greeting has no version"))?;
                check_floor(&hello.server.version, floor)?;
                self.server = hello.server;
                Ok(())
            }
            Err(refusal) if refusal.message.contains("protocol mismatch") => {
                Err(Unopened::OtherBuild)
            }
            Err(refusal) => Err(refusal.into_error().into()),
        }
    }

    /// Calls a method and waits for its answer. Events that come meanwhile are kept.
    pub(crate) async fn call(
        &mut self,
        method: &str,
        params: Value,
    ) -> Result<Payload, EngineError> {
        self.try_call(method, params).await?.map_err(Refusal::into_error)
    }

    /// The same, with the engine's own refusal.
    pub(crate) async fn try_call(
        &mut self,
        method: &str,
        params: Value,
    ) -> Result<Result<Payload, Refusal>, EngineError> {
        match timeout_at(Instant::now() + CALL, self.exchange(method, params)).await {
            Ok(answer) => answer,
            Err(_) => Err(silent("it does not answer the call")),
        }
    }

    /// The next event, `None` if there is none for so long, [`EngineError::Interrupted`] if the
    /// connection ends.
    pub(crate) async fn event(&mut self, within: Duration) -> Result<Option<Event>, EngineError> {
        if let Some(event) = self.waiting.pop_front() {
            self.held -= event.payload.len();
            return Ok(Some(event));
        }
        let deadline = Instant::now() + within;
        loop {
            match timeout_at(deadline, self.frame()).await {
                Ok(Ok(Incoming::Event(event))) => return Ok(Some(event)),
                Ok(Ok(_)) => {}
                Ok(Err(garbled @ EngineError::Garbled { .. })) => return Err(garbled),
                Ok(Err(_)) => return Err(EngineError::Interrupted),
                Err(_) => return Ok(None),
            }
        }
    }

    async fn exchange(
        &mut self,
        method: &str,
        params: Value,
    ) -> Result<Result<Payload, Refusal>, EngineError> {
        self.next_id += 1;
        let id = self.next_id.to_string();
        let frame = json!({ "type": "req", "id": id, "method": method, "params": params });
        let sent = self.ws.send(Message::text(frame.to_string())).await;
        // A refused connection is closed by the other end, which may be seen here first: its reason
        // is still to be read.
        if let Err(error) = sent
            && !matches!(error, WsError::ConnectionClosed | WsError::Protocol(_) | WsError::Io(_))
        {
            return Err(garbled(error.to_string()));
        }
        for _ in 0..MAX_PASSING {
            match self.frame().await? {
                Incoming::Res(answer) if answer.id == id => {
                    return Ok(if answer.ok {
                        Ok(answer.payload)
                    } else {
                        Err(answer.error.unwrap_or_default())
                    });
                }
                Incoming::Event(event) => self.keep(event)?,
                Incoming::Res(_) | Incoming::Unknown => {}
            }
        }
        Err(garbled("more events than any engine sends"))
    }

    fn keep(&mut self, event: Event) -> Result<(), EngineError> {
        if !HEARD.contains(&&*event.event) {
            return Ok(());
        }
        let held = self.held + event.payload.len();
        if held > MAX_WAITING || self.waiting.len() >= MAX_PASSING {
            return Err(garbled("more events than any engine sends"));
        }
        self.held = held;
        self.waiting.push_back(event);
        Ok(())
    }

    async fn frame(&mut self) -> Result<Incoming, EngineError> {
        loop {
            match self.ws.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Incoming::parse(&text)
                        .map_err(|e| garbled(format!("a frame is not of the protocol: {e}")));
                }
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err(close_error(close.code, close.reason.as_str()));
                }
                Some(Ok(Message::Close(None)) | Err(_)) | None => {
                    return Err(EngineError::Interrupted);
                }
                Some(Ok(_)) => {}
            }
        }
    }
}

fn request(port: u16) -> Result<http::Request<()>, EngineError> {
    let bad = |e: &dyn std::fmt::Display| garbled(e.to_string());
    let mut request =
        format!("ws://127.0.0.1:{port}/").into_client_request().map_err(|e| bad(&e))?;
    for (name, value) in identity::headers(identity::PLATFORM).map_err(|e| bad(&e))? {
        request.headers_mut().insert(name, value);
    }
    request
        .headers_mut()
        .insert(http::header::ORIGIN, http::HeaderValue::from_static(identity::ORIGIN));
    Ok(request)
}

fn connect_params(face: &Face) -> Value {
    let client = match face {
        Face::Program => json!({
            "id": "gateway-client", "mode": "backend", "platform": "linux",
            "version": env!("CARGO_PKG_VERSION"),
        }),
        Face::Page { build } => json!({
            "id": "openclaw-control-ui", "mode": "webchat", "platform": "linux",
            "version": env!("CARGO_PKG_VERSION"), "buildId": build,
        }),
    };
    json!({
        "minProtocol": 4, "maxProtocol": 4, "client": client, "role": "operator",
        "scopes": ["operator.admin", "operator.approvals", "operator.pairing"],
        "caps": ["tool-events"],
    })
}

fn upgrade_error(error: WsError) -> EngineError {
    match error {
        WsError::Http(answer) if answer.status().is_server_error() => {
            EngineError::NotReady { why: "it is stopping".into(), retry_after_ms: 1_000 }
        }
        WsError::Http(answer) => EngineError::Refused {
            why: format!("the connection was answered with {}", answer.status()),
        },
        _ => EngineError::Interrupted,
    }
}

fn close_error(code: CloseCode, reason: &str) -> EngineError {
    let why: String = reason.chars().take(200).collect();
    match u16::from(code) {
        1013 => EngineError::NotReady { why, retry_after_ms: 500 },
        1008 => EngineError::Refused { why },
        _ => EngineError::Interrupted,
    }
}
