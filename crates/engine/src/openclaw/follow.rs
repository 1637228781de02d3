//! A turn as it happens: the engine's events, told in the platform's words.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use smartbox_core::BoxStream;
use smartbox_core::engine::TurnEvent;
use smartbox_core::engine::port::EngineError;

use super::answer::{Fate, look_up};
use super::rows::text_of;
use crate::gateway::socket::Socket;
use crate::gateway::wire::Event;

type Item = Result<TurnEvent, EngineError>;

/// A stream for a turn that is over.
pub(super) fn told(last: TurnEvent) -> BoxStream<'static, Item> {
    Box::pin(stream::iter([Ok(TurnEvent::Started), Ok(last)]))
}

/// Follows one message's turn.
pub(super) struct Follow {
    socket: Socket,
    session: String,
    key: String,
    /// Whether the run id is the key; a turn that is run anew has another.
    own: bool,
    /// What was told of the answer so far.
    so_far: String,
    /// How long to wait for an event before the transcript is asked.
    patience: Duration,
    state: State,
}

/// The engine sends a tick every 30 seconds; three missed ones are silence.
const SILENCE: Duration = Duration::from_secs(95);
/// The events of a turn that was run anew can have passed before we listened.
const LISTENING: Duration = Duration::from_secs(5);
/// A turn's last event comes a moment before its transcript is at rest.
const SETTLING: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Live,
    Over,
}

/// A `chat` event's payload.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    state: String,
    #[serde(default)]
    run_id: String,
    #[serde(default)]
    session_key: String,
    #[serde(default)]
    phase: String,
    #[serde(default)]
    delta_text: String,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    error_message: String,
}

impl Follow {
    /// Follows the run that the message began.
    pub(super) fn own_run(socket: Socket, session: String, key: String) -> Self {
        Self {
            socket,
            session,
            key,
            own: true,
            so_far: String::new(),
            patience: SILENCE,
            state: State::New,
        }
    }

    /// Follows whatever the conversation does until the message is answered.
    pub(super) fn any_run(socket: Socket, session: String, key: String) -> Self {
        Self { own: false, patience: LISTENING, ..Self::own_run(socket, session, key) }
    }

    /// The events. After the last one, or an error, nothing more.
    pub(super) fn stream(self) -> BoxStream<'static, Item> {
        let events = stream::unfold(self, |mut follow| async move {
            let item = follow.next().await?;
            Some((item, follow))
        });
        Box::pin(events.fuse())
    }

    async fn next(&mut self) -> Option<Item> {
        match self.state {
            State::Over => return None,
            State::New => {
                self.state = State::Live;
                return Some(Ok(TurnEvent::Started));
            }
            State::Live => {}
        }
        let item = loop {
            match self.step().await {
                Ok(None) => {}
                Ok(Some(event)) => break Ok(event),
                Err(error) => break Err(error),
            }
        };
        if matches!(item, Err(_) | Ok(TurnEvent::Answered(_) | TurnEvent::Failed(_))) {
            self.state = State::Over;
        }
        Some(item)
    }

    async fn step(&mut self) -> Result<Option<TurnEvent>, EngineError> {
        let Some(Event { event, payload }) = self.socket.event(self.patience).await? else {
            return if self.own { Err(EngineError::Interrupted) } else { self.settled().await };
        };
        match event.as_str() {
            "chat" => match serde_json::from_value::<Chat>(payload) {
                Ok(chat) if self.is_mine(&chat.session_key, &chat.run_id) => self.chat(chat).await,
                _ => Ok(None),
            },
            "agent" => Ok(self.tool(&payload)),
            "shutdown" => Err(EngineError::Interrupted),
            _ => Ok(None),
        }
    }

    fn is_mine(&self, session: &str, run: &str) -> bool {
        session == self.session && (!self.own || run == self.key)
    }

    async fn chat(&mut self, chat: Chat) -> Result<Option<TurnEvent>, EngineError> {
        match chat.state.as_str() {
            "status" if !chat.phase.is_empty() => Ok(Some(TurnEvent::Doing(chat.phase))),
            "delta" => Ok(self.delta(&chat)),
            "final" if self.own => {
                let text = text_of(&chat.message["content"]);
                if text.is_empty() {
                    // It was put into a turn that was running: that one's answer has it.
                    self.own = false;
                    self.patience = SETTLING;
                    return self.settled().await;
                }
                Ok(Some(TurnEvent::Answered(text)))
            }
            "error" if self.own => Ok(Some(TurnEvent::Failed(chat.error_message))),
            "aborted" if self.own => Ok(Some(TurnEvent::Failed("the turn was aborted".into()))),
            "final" | "error" | "aborted" => {
                self.patience = SETTLING;
                self.settled().await
            }
            _ => Ok(None),
        }
    }

    /// The answer grows; the engine sends it whole each time, so that nothing is lost when it
    /// gathers several pieces or begins anew.
    fn delta(&mut self, chat: &Chat) -> Option<TurnEvent> {
        let whole = match text_of(&chat.message["content"]) {
            text if text.is_empty() => format!("{}{}", self.so_far, chat.delta_text),
            text => text,
        };
        let event = match whole.strip_prefix(&self.so_far) {
            Some("") => return None,
            Some(more) => TurnEvent::Delta(more.to_owned()),
            None => TurnEvent::Replace(whole.clone()),
        };
        self.so_far = whole;
        Some(event)
    }

    fn tool(&self, payload: &Value) -> Option<TurnEvent> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mine = self.is_mine(&text(&payload["sessionKey"]), &text(&payload["runId"]));
        let begins = payload["stream"] == "tool" && payload["data"]["phase"] == "start";
        (mine && begins).then(|| TurnEvent::Doing(text(&payload["data"]["name"])))
    }

    /// Asks the transcript whether the message is answered by now.
    async fn settled(&mut self) -> Result<Option<TurnEvent>, EngineError> {
        let fate = match look_up(&mut self.socket, &self.session, &self.key).await {
            Ok(Ok((fate, _))) => fate,
            // It is being suspended or drained; the turn's events still come.
            Ok(Err(_)) => return Ok(None),
            Err(EngineError::NotReady { .. }) => return Err(EngineError::Interrupted),
            Err(error) => return Err(error),
        };
        Ok(match fate {
            Fate::Answered(text) => Some(TurnEvent::Answered(text)),
            Fate::Failed(why) => Some(TurnEvent::Failed(why)),
            Fate::AtWork | Fate::Ended | Fate::Unknown => None,
        })
    }
}
