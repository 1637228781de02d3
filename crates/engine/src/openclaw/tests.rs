//! A box that lies, floods, stalls and hangs up: the adapter answers with an error, in bounded time
//! and memory. Time is simulated; the box is a task at the other end of a pipe.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use smartbox_core::sandbox::port::{Conn, RuntimeError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::*;

type Ws = WebSocketStream<DuplexStream>;

/// A way in whose other end plays a part.
struct Stage<F>(F);

impl<F, W> Dial for Stage<F>
where
    F: Fn(DuplexStream) -> W + Send + Sync,
    W: Future<Output = ()> + Send + 'static,
{
    fn dial(&self, _: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        tokio::spawn((self.0)(theirs));
        Box::pin(async move { Ok(Box::pin(ours.compat()) as Conn) })
    }
}

fn engine() -> OpenClaw {
    OpenClaw::new().unwrap()
}

fn turn() -> Turn {
    Turn { session: "main".into(), text: "hi".into(), idempotency_key: "key".into() }
}

/// Answers one HTTP request with these bytes and hangs up.
async fn answers(mut io: DuplexStream, bytes: Vec<u8>) {
    let mut request = [0; 1_024];
    let _ = io.read(&mut request).await;
    let _ = io.write_all(&bytes).await;
}

async fn health_of(bytes: &[u8]) -> Result<Health, EngineError> {
    let bytes = bytes.to_vec();
    engine().health(&Stage(move |io| answers(io, bytes.clone()))).await
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_believed_by_its_body_alone() {
    let http = |body: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let ready = http(r#"{"status":"started","version":"2026.9.6"}"#);
    assert_eq!(health_of(&ready).await.unwrap(), Health::Ready);
    let starting = http(r#"{"status":"starting","pendingReason":"startup-sidecars"}"#);
    let expected = Health::Starting("startup-sidecars".into());
    assert_eq!(health_of(&starting).await.unwrap(), expected);
    for page in ["<!doctype html>", "{}", r#"{"status":"dancing"}"#, ""] {
        let said = health_of(&http(page)).await;
        assert!(matches!(said, Err(EngineError::Garbled { .. })), "{page}: {said:?}");
    }
    let old = health_of(&http(r#"{"status":"started","version":"2026.9.5"}"#)).await;
    assert!(matches!(old, Err(EngineError::TooOld { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_ends_is_ended() {
    let silent = Stage(|io: DuplexStream| async move {
        let _io = io;
        std::future::pending::<()>().await;
    });
    assert!(matches!(engine().health(&silent).await, Err(EngineError::NotReady { .. })));
    let endless = Stage(|mut io: DuplexStream| async move {
        let _ = io.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").await;
        while io.write_all(&[b'x'; 4_096]).await.is_ok() {}
    });
    assert!(matches!(engine().health(&endless).await, Err(EngineError::Garbled { .. })));
    for noise in [&b"\x00\x01\x02"[..], b"SSH-2.0-x\r\n", b""] {
        assert!(health_of(noise).await.is_err());
    }
}

/// Plays an engine over WebSocket: greets with this version, then hands over.
async fn greeted(io: DuplexStream, version: &str) -> Option<Ws> {
    let mut ws = tokio_tungstenite::accept_async(io).await.ok()?;
    tell(&mut ws, &json!({ "type": "event", "event": "connect.challenge", "payload": {} })).await;
    let request = heard(&mut ws).await?;
    let server = json!({ "version": version, "buildId": "b" });
    let hello = json!({ "type": "res", "id": request["id"], "ok": true,
                        "payload": { "server": server } });
    tell(&mut ws, &hello).await;
    Some(ws)
}

async fn tell(ws: &mut Ws, frame: &Value) {
    let _ = ws.send(Message::text(frame.to_string())).await;
}

async fn heard(ws: &mut Ws) -> Option<Value> {
    let Some(Ok(Message::Text(text))) = ws.next().await else { return None };
    serde_json::from_str(&text).ok()
}

/// Answers calls until there are no more: an empty history, and `started`.
async fn plays_along(io: DuplexStream) -> Option<Ws> {
    let mut ws = greeted(io, "2026.9.6").await?;
    while let Some(call) = heard(&mut ws).await {
        let payload = match call["method"].as_str() {
            Some("chat.history") => json!({ "messages": [], "sessionId": "s" }),
            _ => json!({ "status": "started" }),
        };
        let frame = json!({ "type": "res", "id": call["id"], "ok": true, "payload": payload });
        tell(&mut ws, &frame).await;
        if call["method"] == "chat.send" {
            return Some(ws);
        }
    }
    None
}

async fn history_of<F, W>(play: F) -> Result<Vec<HistoryEntry>, EngineError>
where
    F: Fn(DuplexStream) -> W + Send + Sync,
    W: Future<Output = ()> + Send + 'static,
{
    engine().history(&Stage(play), "main", 10).await
}

#[tokio::test(start_paused = true)]
async fn an_engine_below_the_floor_is_named() {
    let said = history_of(|io| async move {
        let _ws = greeted(io, "2026.6.1").await;
    })
    .await;
    assert!(matches!(said, Err(EngineError::TooOld { found, .. }) if found == "2026.6.1"));
}

#[tokio::test(start_paused = true)]
async fn a_starting_engine_is_asked_again() {
    let said = history_of(|io| async move {
        if let Ok(mut ws) = tokio_tungstenite::accept_async(io).await {
            let frame = CloseFrame { code: 1013.into(), reason: "gateway starting".into() };
            let _ = ws.close(Some(frame)).await;
        }
    })
    .await;
    assert!(matches!(said, Err(EngineError::NotReady { .. })), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stalled_handshake_and_a_stalled_call_end() {
    let mute = history_of(|io| async move {
        let _ws = tokio_tungstenite::accept_async(io).await;
        std::future::pending::<()>().await;
    })
    .await;
    assert!(matches!(mute, Err(EngineError::NotReady { .. })), "{mute:?}");
    let deaf = history_of(|io| async move {
        let _ws = greeted(io, "2026.9.6").await;
        std::future::pending::<()>().await;
    })
    .await;
    assert!(matches!(deaf, Err(EngineError::NotReady { .. })), "{deaf:?}");
}

#[tokio::test(start_paused = true)]
async fn deep_large_and_endless_answers_are_refused() {
    let deep = history_of(|io| async move {
        if let Some(mut ws) = greeted(io, "2026.9.6").await {
            let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            let _ = ws.send(Message::text(text)).await;
        }
    })
    .await;
    assert!(matches!(deep, Err(EngineError::Garbled { .. })), "{deep:?}");
    let flood = history_of(|io| async move {
        if let Some(mut ws) = greeted(io, "2026.9.6").await {
            let event = json!({ "type": "event", "event": "presence", "payload": {} }).to_string();
            while ws.send(Message::text(event.clone())).await.is_ok() {}
        }
    })
    .await;
    assert!(matches!(flood, Err(EngineError::Garbled { .. })), "{flood:?}");
    let large = history_of(|io| async move {
        if let Some(ws) = greeted(io, "2026.9.6").await {
            // A frame that says that it is 4 GiB long.
            let mut io = ws.into_inner();
            let _ = io.write_all(&[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]).await;
            while io.write_all(&[b'x'; 4_096]).await.is_ok() {}
        }
    })
    .await;
    assert!(large.is_err());
}

async fn last_of(dial: Arc<dyn Dial>) -> Result<TurnEvent, EngineError> {
    let mut events = engine().chat(dial, turn()).await?;
    let mut last = Err(EngineError::Interrupted);
    while let Some(event) = events.next().await {
        let over = event.is_err();
        last = event;
        assert!(!over || events.next().await.is_none(), "more after an error");
    }
    last
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_hung_up_on_or_falls_silent_is_interrupted() {
    let hangs_up = Stage(|io| async move {
        drop(plays_along(io).await);
    });
    let last = last_of(Arc::new(hangs_up)).await;
    assert!(matches!(last, Err(EngineError::Interrupted)), "{last:?}");
    let silent = Stage(|io| async move {
        let _ws = plays_along(io).await;
        std::future::pending::<()>().await;
    });
    let last = last_of(Arc::new(silent)).await;
    assert!(matches!(last, Err(EngineError::Interrupted)), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn events_of_other_turns_are_not_mine() {
    let crowded = Stage(|io| async move {
        let Some(mut ws) = plays_along(io).await else { return };
        let chat = |run: &str, session: &str, text: &str| {
            json!({ "type": "event", "event": "chat", "payload": {
                "runId": run, "sessionKey": session, "state": "final",
                "message": { "content": [{ "type": "text", "text": text }] } } })
        };
        tell(&mut ws, &chat("other", "agent:main:main", "theirs")).await;
        tell(&mut ws, &chat("key", "agent:main:elsewhere", "elsewhere")).await;
        tell(&mut ws, &json!({ "type": "event", "event": "chat", "payload": 7 })).await;
        tell(&mut ws, &chat("key", "agent:main:main", "mine")).await;
        std::future::pending::<()>().await;
    });
    let last = last_of(Arc::new(crowded)).await.unwrap();
    assert_eq!(last, TurnEvent::Answered("mine".into()));
}

#[tokio::test(start_paused = true)]
async fn a_draft_that_begins_anew_is_told() {
    let wavering = Stage(|io| async move {
        let Some(mut ws) = plays_along(io).await else { return };
        for (state, text) in
            [("delta", "He"), ("delta", "Hello"), ("delta", "Good"), ("final", "Good")]
        {
            let payload = json!({ "runId": "key", "sessionKey": "agent:main:main", "state": state,
                                  "message": { "content": [{ "type": "text", "text": text }] } });
            tell(&mut ws, &json!({ "type": "event", "event": "chat", "payload": payload })).await;
        }
        std::future::pending::<()>().await;
    });
    let events = engine().chat(Arc::new(wavering), turn()).await.unwrap();
    let told: Vec<TurnEvent> = events.map(Result::unwrap).collect().await;
    let expected = [
        TurnEvent::Started,
        TurnEvent::Delta("He".into()),
        TurnEvent::Delta("llo".into()),
        TurnEvent::Replace("Good".into()),
        TurnEvent::Answered("Good".into()),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_ends_while_the_transcript_is_read_is_read_again() {
    let torn = Stage(|io| async move {
        let Some(mut ws) = greeted(io, "2026.9.6").await else { return };
        let user = json!({ "role": "user", "content": "hi", "idempotencyKey": "key:user" });
        let answer = json!({ "role": "assistant", "content": [{ "type": "text", "text": "yes" }] });
        for rows in [json!([user]), json!([user, answer])] {
            let Some(call) = heard(&mut ws).await else { return };
            let payload = json!({ "messages": rows, "sessionId": "s",
                                  "sessionInfo": { "status": "done" } });
            let id = &call["id"];
            tell(&mut ws, &json!({ "type": "res", "id": id, "ok": true, "payload": payload }))
                .await;
        }
        std::future::pending::<()>().await;
    });
    // The first connection asks who it is, the second is the page's.
    let last = last_of(Arc::new(torn)).await.unwrap();
    assert_eq!(last, TurnEvent::Answered("yes".into()));
}

/// Plays along until this is called, and hands over who asked.
async fn asked(io: DuplexStream, method: &str) -> Option<(Ws, Value)> {
    let mut ws = greeted(io, "2026.9.6").await?;
    while let Some(call) = heard(&mut ws).await {
        if call["method"] == method {
            return Some((ws, call["id"].clone()));
        }
    }
    None
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_while_an_answer_is_awaited_is_held_within_bounds() {
    // As trees these are sixteen times as large: half a dozen once took a gigabyte.
    let zeros = format!("[{}0]", "0,".repeat(1 << 19));
    for event in ["chat", "agent", "presence"] {
        let frame = format!(r#"{{"type":"event","event":"{event}","payload":{zeros}}}"#);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let said = history_of(move |io| {
            let (frame, tell) = (frame.clone(), tell.clone());
            async move {
                let Some((mut ws, id)) = asked(io, "chat.history").await else { return };
                for _ in 0..30 {
                    if ws.send(Message::text(frame.clone())).await.is_err() {
                        return;
                    }
                    let _ = tell.send(());
                }
                let page = json!({ "messages": [], "sessionId": "s" });
                let answer = json!({ "type": "res", "id": id, "ok": true, "payload": page });
                let _ = ws.send(Message::text(answer.to_string())).await;
                std::future::pending::<()>().await;
            }
        })
        .await;
        let mut taken = 0;
        while told.try_recv().is_ok() {
            taken += 1;
        }
        // What nobody waits for passes; of the rest eight MiB are kept, and what lies in the pipe.
        if event == "presence" {
            assert!(said.is_ok_and(|rows| rows.is_empty()));
        } else {
            assert!(matches!(said, Err(EngineError::Garbled { .. })), "{said:?}");
            assert!(taken <= 9, "{taken} of one MiB each");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_page_of_the_transcript_is_read_and_nothing_larger_is_held() {
    // As much as OpenClaw gives at once: a thousand rows, six MiB.
    let row =
        json!({ "role": "assistant", "content": [{ "type": "text", "text": "é".repeat(3_000) }] });
    let page = json!({ "messages": vec![row; 1_000], "sessionId": "s" }).to_string();
    assert!(page.len() > 6_000_000);
    let many = format!(r#"{{"messages":[{}{{}}]}}"#, "{},".repeat(1 << 20));
    let large = format!(r#"{{"messages":["{}"]}}"#, "x".repeat(13 << 20));
    let [whole, many, large] = [page, many, large].map(|payload| {
        history_of(move |io| {
            let payload = payload.clone();
            async move {
                let Some((mut ws, id)) = asked(io, "chat.history").await else { return };
                let frame = format!(r#"{{"type":"res","id":{id},"ok":true,"payload":{payload}}}"#);
                let _ = ws.send(Message::text(frame)).await;
                std::future::pending::<()>().await;
            }
        })
    });
    let rows = whole.await.unwrap();
    assert_eq!((rows.len(), rows[999].text.len()), (1_000, 6_000));
    let many = many.await;
    assert!(matches!(many, Err(EngineError::Garbled { .. })), "{many:?}");
    assert!(large.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_the_end_of_its_turn() {
    let piece = "y".repeat(1 << 20);
    let whole = |n: usize| json!({ "content": [{ "type": "text", "text": "z".repeat(n << 20) }] });
    for endless in [
        json!({ "state": "delta", "deltaText": piece }),
        json!({ "state": "delta", "message": whole(5) }),
        json!({ "state": "final", "message": whole(5) }),
        json!({ "state": "delta", "message": { "content": [{ "type": "image" }] },
                "deltaText": piece }),
    ] {
        let mut payload = endless;
        payload["runId"] = json!("key");
        payload["sessionKey"] = json!("agent:main:main");
        let frame = json!({ "type": "event", "event": "chat", "payload": payload }).to_string();
        let runs_on = Stage(move |io| {
            let frame = frame.clone();
            async move {
                let Some(mut ws) = plays_along(io).await else { return };
                while ws.send(Message::text(frame.clone())).await.is_ok() {}
            }
        });
        let mut events = engine().chat(Arc::new(runs_on), turn()).await.unwrap();
        let (mut told, mut last) = (0, None);
        while let Some(event) = events.next().await {
            let event = event.unwrap();
            if let TurnEvent::Delta(more) | TurnEvent::Replace(more) = &event {
                told += more.len();
            }
            last = Some(event);
        }
        assert!(told <= 4 << 20, "{told}");
        assert!(
            matches!(&last, Some(TurnEvent::Failed(why)) if why.contains("longer than 4 MiB")),
            "{last:?}"
        );
    }
}
