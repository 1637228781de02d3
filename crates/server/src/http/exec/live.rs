//! `GET /api/v1/boxes/{name}/exec` as a WebSocket: a command, live; see `smartbox_api::exec::live`.
//!
//! The command lives as long as the socket: when the caller goes away, or is silent for too long,
//! it is hung up and killed.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use smartbox_api::exec::live::{self, PROTOCOL, STDERR, STDOUT, Say, Told};
use smartbox_api::exec::{ExecOrder, Frame, MAX_PAYLOAD, TtySize};
use smartbox_api::problem::Code;
use smartbox_control::{Actor, Running};
use smartbox_core::id::SmartboxId;
use smartbox_link::client::Exec;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::http::cut;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// How long the order may take to come, and a caller who is told of the end to hear it.
const PATIENCE: Duration = Duration::from_secs(30);
const PARTING: Duration = Duration::from_secs(5);
/// A caller is asked so often whether it is there, and may be silent for so long.
const PING: Duration = Duration::from_secs(25);
const SILENCE: Duration = Duration::from_secs(90);

type Sink = SplitSink<WebSocket, Message>;
type Source = SplitStream<WebSocket>;

/// Runs a command in the box, live over a WebSocket.
///
/// The subprotocol is `smartbox.exec.v1`. The first message is the order; then binary messages are
/// input and output, and text messages sizes, signals and the end. It lives as long as the socket.
/// Wakes the box. The messages are described in `docs/reference/exec.md`.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/exec",
    tag = "exec",
    responses((status = 101, description = "The socket is open; the order comes first.")),
)]
pub(super) async fn live(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let (mut parts, _) = request.into_parts();
    // The connection's place among those that the edge allows is kept as long as the socket.
    let place = parts.extensions.clone();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &app).await;
    let upgrade = upgrade.map_err(|_| {
        let hint = "open a WebSocket here, or POST frames; docs/reference/exec.md describes both";
        Trouble::new(Code::BadRequest, "the handshake of the WebSocket is not understood", hint)
    })?;
    let upgrade = upgrade
        .max_message_size(MAX_PAYLOAD)
        .max_frame_size(MAX_PAYLOAD)
        .max_write_buffer_size(8 * MAX_PAYLOAD)
        .protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        let hint = format!("offer the subprotocol `{PROTOCOL}`");
        return Err(Trouble::new(Code::BadRequest, "no subprotocol that is known here", hint));
    }
    Ok(upgrade.on_upgrade(async move |socket| {
        let (mut sink, mut source) = socket.split();
        let shut_out = cut::shut_out(app.clone(), who.watch());
        let call = Call { app, actor: who.actor, smartbox: row.id };
        let close = tokio::select! {
            close = call.carry(&mut sink, &mut source) => close,
            () = shut_out => Some(close(close_code::POLICY, "you may not do this any more")),
        };
        let farewell = async {
            match close {
                Some(close) => drop(sink.send(Message::Close(Some(close))).await),
                None => drop(sink.close().await),
            }
            // The closing is answered; a caller who does not is not waited for.
            while let Some(Ok(_)) = source.next().await {}
        };
        let _ = timeout(PARTING, farewell).await;
        drop(place);
    }))
}

/// One socket's command.
struct Call {
    app: App,
    actor: Actor,
    smartbox: SmartboxId,
}

impl Call {
    /// Carries the command to its end. How to close, unless the caller is gone already.
    async fn carry(&self, sink: &mut Sink, source: &mut Source) -> Option<CloseFrame> {
        let order = match timeout(PATIENCE, order(source)).await {
            Ok(Ok(order)) => order,
            Ok(Err(close)) => return close,
            Err(_) => return Some(close(close_code::POLICY, "no order came")),
        };
        let tty = order.tty.is_some();
        let draining = self.app.draining.cancelled();
        let begun = tokio::select! {
            begun = self.app.control.exec(&self.actor, &self.smartbox, order) => begun,
            () = draining => return Some(going_down()),
        };
        let Running { mut exec, busy: _awake } = match begun {
            Ok(running) => running,
            Err(error) => return failed(sink, &Trouble::from(error)).await,
        };
        say(sink, &Told::Started).await?;
        let input = exec.input.clone();
        tokio::select! {
            close = outward(&mut exec, sink, tty) => close,
            close = inward(source, &input) => close,
            () = self.app.draining.cancelled() => Some(going_down()),
        }
    }
}

/// The first message.
async fn order(source: &mut Source) -> Result<ExecOrder, Option<CloseFrame>> {
    loop {
        match source.next().await {
            Some(Ok(Message::Text(text))) => {
                let bad = |_| Some(close(close_code::INVALID, "the order is not understood"));
                return serde_json::from_str(&text).map_err(bad);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => {
                return Err(Some(close(close_code::POLICY, "the first message is the order")));
            }
            Some(Ok(Message::Close(_))) | None => return Err(None),
            Some(Err(_)) => return Err(Some(unreadable())),
        }
    }
}

/// The command's frames, and a ping now and then, until its end.
async fn outward(exec: &mut Exec, sink: &mut Sink, tty: bool) -> Option<CloseFrame> {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let frame = tokio::select! {
            biased;
            frame = exec.next() => frame,
            _ = pings.tick() => {
                sink.send(Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        let message = match frame {
            Ok(Some(Frame::Stdout(bytes))) if tty => Message::Binary(bytes),
            Ok(Some(Frame::Stdout(bytes))) => marked(STDOUT, &bytes),
            Ok(Some(Frame::Stderr(bytes))) => marked(STDERR, &bytes),
            Ok(Some(Frame::Exit(exit))) => {
                say(sink, &Told::Exit(exit)).await?;
                return Some(close(close_code::NORMAL, ""));
            }
            Ok(Some(Frame::Failed(why))) => {
                let why = format!("the command could not be run: {why}");
                return failed(sink, &Trouble::new(Code::Refused, why, "")).await;
            }
            Ok(_) => return failed(sink, &broken("its output ended early")).await,
            Err(error) => {
                tracing::warn!(%error, "the link broke while a command ran");
                return failed(sink, &broken("the connection to it broke")).await;
            }
        };
        sink.send(message).await.ok()?;
    }
}

/// The caller's messages, until it goes or says what is not understood.
async fn inward(source: &mut Source, input: &mpsc::Sender<Frame>) -> Option<CloseFrame> {
    loop {
        let Ok(message) = timeout(SILENCE, source.next()).await else {
            return Some(close(close_code::POLICY, "nothing was heard for too long"));
        };
        let frame = match message {
            Some(Ok(Message::Binary(bytes))) => Frame::Stdin(bytes),
            Some(Ok(Message::Text(text))) => match frame(&text) {
                Some(frame) => frame,
                None => return Some(close(close_code::INVALID, "a message is not understood")),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return None,
            Some(Err(_)) => return Some(unreadable()),
        };
        // A command that has ended takes no more; its last frame is on its way.
        let _ = input.send(frame).await;
    }
}

fn frame(text: &str) -> Option<Frame> {
    Some(match serde_json::from_str(text).ok()? {
        Say::Resize { cols, rows } => Frame::Resize(TtySize { cols, rows }),
        Say::Signal { name } => Frame::Signal(live::signal(&name)?),
        Say::Eof => Frame::StdinEnd,
    })
}

fn marked(stream: u8, bytes: &Bytes) -> Message {
    let mut out = BytesMut::with_capacity(bytes.len() + 1);
    out.put_u8(stream);
    out.extend_from_slice(bytes);
    Message::Binary(out.freeze())
}

/// `None`: the caller is gone.
async fn say(sink: &mut Sink, told: &Told) -> Option<()> {
    let text = serde_json::to_string(told).ok()?;
    sink.send(Message::Text(text.into())).await.ok()
}

async fn failed(sink: &mut Sink, trouble: &Trouble) -> Option<CloseFrame> {
    let problem = trouble.problem();
    let told = Told::Failed {
        code: problem.code.clone(),
        detail: problem.detail.clone(),
        hint: problem.hint.clone(),
    };
    say(sink, &told).await?;
    Some(close(close_code::ERROR, "the command did not come to its end"))
}

fn broken(what: &str) -> Trouble {
    Trouble::new(Code::Upstream, format!("the command was lost: {what}"), "look whether it ran")
}

fn unreadable() -> CloseFrame {
    close(close_code::PROTOCOL, "a message is too long, or none")
}

fn going_down() -> CloseFrame {
    close(close_code::AWAY, "the platform is shutting down")
}

fn close(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: reason.into() }
}
