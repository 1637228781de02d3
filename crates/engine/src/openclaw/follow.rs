//! A turn as it happens: the engine's events, told in the platform's words.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use smartbox_core::BoxStream;
use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{LONGEST_ANSWER, TurnEvent};

use super::answer::{Fate, look_up};
use super::rows::LONGEST_REASON;
use crate::gateway::loose::{Text, Word};
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
    message: Option<Said>,
    #[serde(default)]
    error_message: String,
}

/// A message within it.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    content: Text,
}

/// An `agent` event's payload, as far as tools are concerned.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    #[serde(default)]
    run_id: Word,
    #[serde(default)]
    session_key: Word,
    #[serde(default)]
    stream: Word,
    #[serde(default)]
    data: Tool,
}

#[derive(Default, Deserialize)]
struct Tool {
    #[serde(default)]
    phase: Word,
    #[serde(default)]
    name: Word,
}

/// Characters of what the engine is doing.
const LONGEST_DOING: usize = 200;

fn doing(what: &str) -> TurnEvent {
    TurnEvent::Doing(what.chars().take(LONGEST_DOING).collect())
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
            "chat" => match payload.read::<Chat>() {
                Ok(chat) if self.is_mine(&chat.session_key, &chat.run_id) => self.chat(chat).await,
                _ => Ok(None),
            },
            "agent" => Ok(payload.read().ok().and_then(|agent| self.tool(&agent))),
            "shutdown" => Err(EngineError::Interrupted),
            _ => Ok(None),
        }
    }

    fn is_mine(&self, session: &str, run: &str) -> bool {
        session == self.session && (!self.own || run == self.key)
    }

    async fn chat(&mut self, mut chat: Chat) -> Result<Option<TurnEvent>, EngineError> {
        match chat.state.as_str() {
            "status" if !chat.phase.is_empty() => Ok(Some(doing(&chat.phase))),
            "delta" => Ok(self.delta(chat)),
            "final" if self.own => {
                let text = chat.message.take().unwrap_or_default().content.0;
                if text.is_empty() {
                    // It was put into a turn that was running: that one's answer has it.
                    self.own = false;
                    self.patience = SETTLING;
                    return self.settled().await;
                }
                Ok(Some(TurnEvent::Answered(text).kept()))
            }
            "error" if self.own => {
                let why = chat.error_message.chars().take(LONGEST_REASON).collect();
                Ok(Some(TurnEvent::Failed(why)))
            }
            "aborted" if self.own => Ok(Some(TurnEvent::Failed("the turn was aborted".into()))),
            "final" | "error" | "aborted" => {
                self.patience = SETTLING;
                self.settled().await
            }
            _ => Ok(None),
        }
    }

    /// The answer grows; the engine sends it whole each time, so that nothing is lost when it
    /// gathers several pieces or begins anew. One that grows without end is the end of the turn.
    fn delta(&mut self, chat: Chat) -> Option<TurnEvent> {
        let whole = match chat.message.unwrap_or_default().content.0 {
            text if text.is_empty() => {
                if chat.delta_text.len() > LONGEST_ANSWER - self.so_far.len() {
                    return Some(TurnEvent::too_long());
                }
                format!("{}{}", self.so_far, chat.delta_text)
            }
            text => text,
        };
        if whole.len() > LONGEST_ANSWER {
            return Some(TurnEvent::too_long());
        }
        let event = match whole.strip_prefix(&self.so_far) {
            Some("") => return None,
            Some(more) => TurnEvent::Delta(more.to_owned()),
            None => TurnEvent::Replace(whole.clone()),
        };
        self.so_far = whole;
        Some(event)
    }

    fn tool(&self, agent: &Agent) -> Option<TurnEvent> {
        let mine = self.is_mine(&agent.session_key.0, &agent.run_id.0);
        let begins = agent.stream.0 == "tool" && agent.data.phase.0 == "start";
        (mine && begins).then(|| doing(&agent.data.name.0))
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
            Fate::Answered(text) => Some(TurnEvent::Answered(text).kept()),
            Fate::Failed(why) => Some(TurnEvent::Failed(why)),
            Fate::AtWork | Fate::Ended | Fate::Unknown => None,
        })
    }
}
