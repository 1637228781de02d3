//! One message: look it up, send it if it is unknown, follow its turn.
//!
//! Sending is safe to repeat at any time, also after a crash of either side. The engine forgets the
//! keys of some messages when it restarts (`docs/reference/engine.md`), so that its transcript is
//! asked first. A conversation is made before its first message: only messages of an existing
//! conversation are in the transcript before they are acknowledged.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use smartbox_core::BoxStream;
use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{Turn, TurnEvent};
use smartbox_core::sandbox::port::Dial;

use super::answer::{Fate, look_up};
use super::follow::{Follow, told};
use super::{OpenClaw, session_key};
use crate::gateway::socket::Socket;
use crate::gateway::wire::Refusal;
use crate::gateway::{garbled, silent};

type Events = BoxStream<'static, Result<TurnEvent, EngineError>>;

#[derive(Deserialize)]
struct Ack {
    status: String,
}

pub(super) async fn chat(
    engine: &OpenClaw,
    dial: Arc<dyn Dial>,
    turn: Turn,
) -> Result<Events, EngineError> {
    let session = session_key(&turn.session);
    let mut socket = engine.page(&*dial).await?;
    let found = look_up(&mut socket, &session, &turn.idempotency_key).await?;
    let (fate, exists) = found.map_err(Refusal::into_error)?;
    match fate {
        Fate::Answered(text) => return Ok(told(TurnEvent::Answered(text).kept())),
        Fate::Failed(why) => return Ok(told(TurnEvent::Failed(why))),
        Fate::AtWork => {
            return Ok(Follow::any_run(socket, session, turn.idempotency_key).stream());
        }
        Fate::Unknown | Fate::Ended => {}
    }
    if !exists {
        socket.call("sessions.create", json!({ "key": session })).await?;
    }
    let mut answer = socket.try_call("chat.send", message(&session, &turn)).await?;
    if answer.as_ref().is_err_and(not_admitted) {
        // The message once came in as a first or a concurrent one, which the engine keeps apart
        // from the transcript; it takes it up again only from a program.
        socket = engine.program(&*dial).await?;
        answer = socket.try_call("chat.send", message(&session, &turn)).await?;
    }
    let ack = answer.map_err(Refusal::into_error)?;
    let ack: Ack = ack.read().map_err(|_| garbled("its answer to a message has no status"))?;
    match ack.status.as_str() {
        "started" | "in_flight" => {
            Ok(Follow::own_run(socket, session, turn.idempotency_key).stream())
        }
        // It had finished this very message before.
        "ok" => finished(&mut socket, &session, &turn.idempotency_key).await,
        other => {
            let other: String = other.chars().take(40).collect();
            Err(garbled(format!("its answer to a message is `{other}`")))
        }
    }
}

fn message(session: &str, turn: &Turn) -> Value {
    json!({
        "sessionKey": session, "message": turn.text, "idempotencyKey": turn.idempotency_key,
    })
}

fn not_admitted(refusal: &Refusal) -> bool {
    refusal.message.contains("not durably admitted")
}

async fn finished(socket: &mut Socket, session: &str, key: &str) -> Result<Events, EngineError> {
    let found = look_up(socket, session, key).await?;
    Ok(told(match found.map_err(Refusal::into_error)?.0 {
        Fate::Answered(text) => TurnEvent::Answered(text).kept(),
        Fate::Failed(why) => TurnEvent::Failed(why),
        // Its answer is being written, or it joined a turn that still runs: ask again.
        Fate::AtWork => return Err(silent("the message's turn is not at rest")),
        Fate::Unknown | Fate::Ended => TurnEvent::Failed(
            "it was answered before, and the answer is no longer in the newest history".into(),
        ),
    }))
}
