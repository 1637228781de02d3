//! One WebSocket connection: frames in, answers and events out.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::Puppet;
use super::connect::Guest;

/// The answer to a call.
pub(super) enum Reply {
    Ok(Value),
    Error(Value),
}

impl Reply {
    pub(super) fn refused(code: &str, message: &str) -> Self {
        Self::Error(json!({ "code": code, "message": message, "retryable": false }))
    }

    pub(super) fn invalid(message: &str) -> Self {
        Self::refused("INVALID_REQUEST", message)
    }

    pub(super) fn unavailable(message: &str, reason: &str, retry_after_ms: u64) -> Self {
        Self::Error(json!({
            "code": "UNAVAILABLE", "message": message, "retryable": true,
            "retryAfterMs": retry_after_ms, "details": { "reason": reason },
        }))
    }

    fn frame(self, id: &Value) -> Value {
        match self {
            Self::Ok(payload) => {
                json!({ "type": "res", "id": id, "ok": true, "payload": payload })
            }
            Self::Error(error) => json!({ "type": "res", "id": id, "ok": false, "error": error }),
        }
    }
}

struct Talk<S> {
    puppet: Puppet,
    ws: WebSocketStream<S>,
    guest: Option<Guest>,
    seq: u64,
}

/// Serves one connection until either side ends it.
pub(super) async fn talk<S>(puppet: Puppet, ws: WebSocketStream<S>, headers: HeaderMap)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut events = puppet.inner.events.subscribe();
    let tick = puppet.inner.play.tick;
    let mut ticks = interval_at(tokio::time::Instant::now() + tick, tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let killed = puppet.inner.killed.clone();
    let mut talk = Talk { puppet, ws, guest: None, seq: 0 };
    let challenge = json!({ "nonce": "puppet", "ts": talk.puppet.now().0 });
    let mut open = talk.event("connect.challenge", &challenge).await;
    while open {
        open = tokio::select! {
            // What was told before the end is sent before the end.
            biased;
            event = events.recv() => match event {
                Ok(event) if talk.guest.is_some() => {
                    let event = Arc::clone(&event);
                    talk.event(event.name, &event.payload).await
                }
                Ok(_) => true,
                Err(RecvError::Lagged(_)) => talk.close(1008, "slow consumer").await,
                Err(RecvError::Closed) => false,
            },
            frame = talk.ws.next() => match frame {
                Some(Ok(Message::Text(text))) => talk.frame(&headers, &text).await,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                Some(Ok(_)) => true,
            },
            _ = ticks.tick() => {
                let ts = talk.puppet.now().0;
                talk.guest.is_none() || talk.event("tick", &json!({ "ts": ts })).await
            }
            () = killed.cancelled() => talk.close(1012, "service restart").await,
        };
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn frame(&mut self, headers: &HeaderMap, text: &str) -> bool {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            return self.close(1008, "invalid frame").await;
        };
        let method = frame["method"].as_str().unwrap_or_default();
        let reply = match &self.guest {
            Some(guest) => self.puppet.call(guest, method, &frame["params"]).await,
            None if method == "connect" => match self.puppet.connect(headers, &frame["params"]) {
                Ok((hello, guest)) => {
                    self.guest = Some(guest);
                    Reply::Ok(hello)
                }
                Err(reply) => reply,
            },
            None => Reply::invalid("connect first"),
        };
        let starting = matches!(&reply, Reply::Error(e) if e["code"] == "UNAVAILABLE");
        let sent = self.send(&reply.frame(&frame["id"])).await;
        if self.guest.is_some() {
            return sent;
        }
        let code = if starting { 1013 } else { 1008 };
        self.close(code, if starting { "gateway starting" } else { "unauthorized" }).await
    }

    async fn event(&mut self, name: &str, payload: &Value) -> bool {
        self.seq += 1;
        let seq = self.seq;
        self.send(&json!({ "type": "event", "event": name, "payload": payload, "seq": seq })).await
    }

    async fn send(&mut self, frame: &Value) -> bool {
        self.ws.send(Message::text(frame.to_string())).await.is_ok()
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> bool {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        let _ = self.ws.close(Some(frame)).await;
        false
    }
}
