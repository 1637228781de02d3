//! Turns in progress, for those who watch. In memory only; the row is the truth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smartbox_core::engine::{LONGEST_ANSWER, TurnEvent};
use smartbox_core::id::MessageId;
use tokio::sync::watch;

use crate::trail::Trail;

/// What a watcher sees of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The answer so far.
    pub(crate) text: String,
    /// How often the text began anew.
    pub(crate) drafts: u32,
    /// What the engine is doing.
    pub(crate) doing: String,
    /// The last event.
    pub(crate) last: Option<TurnEvent>,
}

impl Turn {
    /// Takes an event in. What is beyond any answer is not for watchers.
    pub(crate) fn apply(&mut self, event: TurnEvent) {
        match event {
            TurnEvent::Started => "working".clone_into(&mut self.doing),
            TurnEvent::Doing(what) => self.doing = what,
            TurnEvent::Delta(more) if self.text.len() + more.len() > LONGEST_ANSWER => {}
            TurnEvent::Delta(more) => self.text.push_str(&more),
            TurnEvent::Replace(text) if text.len() > LONGEST_ANSWER => {}
            TurnEvent::Replace(text) => {
                self.text = text;
                self.drafts += 1;
            }
            last @ (TurnEvent::Answered(_) | TurnEvent::Failed(_)) => self.last = Some(last),
        }
    }

    /// The events that lead a watcher from what he has seen to what is now, which he has seen then.
    pub(crate) fn since(&self, seen: &mut Seen) -> Vec<TurnEvent> {
        let mut events = Vec::new();
        if self.doing != seen.doing {
            events.push(TurnEvent::Doing(self.doing.clone()));
        }
        // Within one draft the text grows at its end only.
        match self.text.get(seen.length..).filter(|_| self.drafts == seen.drafts) {
            Some("") => {}
            Some(more) => events.push(TurnEvent::Delta(more.to_owned())),
            None => events.push(TurnEvent::Replace(self.text.clone())),
        }
        if !seen.over {
            events.extend(self.last.clone());
        }
        *seen = Seen {
            length: self.text.len(),
            drafts: self.drafts,
            doing: self.doing.clone(),
            over: self.last.is_some(),
        };
        events
    }
}

/// How far a watcher is: not the text again, of which each of them would have one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Bytes of the draft.
    length: usize,
    /// Which draft.
    drafts: u32,
    doing: String,
    /// Whether the last event was among it.
    over: bool,
}

/// All turns in progress.
#[derive(Default)]
pub(crate) struct Live(Mutex<HashMap<MessageId, Entry>>);

#[derive(Clone)]
struct Entry {
    turn: Arc<watch::Sender<Turn>>,
    /// What it was accepted in.
    cause: Trail,
}

impl Default for Entry {
    fn default() -> Self {
        Self { turn: Arc::new(watch::channel(Turn::default()).0), cause: Trail::default() }
    }
}

impl Live {
    /// The turn of a message, begun if need be.
    pub(crate) fn turn(&self, id: &MessageId) -> Arc<watch::Sender<Turn>> {
        self.lock().entry(id.clone()).or_default().turn.clone()
    }

    /// A message was accepted, in this.
    pub(crate) fn begin(&self, id: &MessageId, cause: Trail) {
        self.lock().entry(id.clone()).or_default().cause = cause;
    }

    /// What it was accepted in, if this process accepted it.
    pub(crate) fn cause(&self, id: &MessageId) -> Trail {
        self.lock().get(id).map(|entry| entry.cause.clone()).unwrap_or_default()
    }

    /// The turn of a message, if it is in progress.
    pub(crate) fn find(&self, id: &MessageId) -> Option<watch::Receiver<Turn>> {
        self.lock().get(id).map(|entry| entry.turn.subscribe())
    }

    /// The turn is over.
    pub(crate) fn end(&self, id: &MessageId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MessageId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_end_is_not_held() {
        let (mut turn, mut seen) = (Turn::default(), Seen::default());
        let piece = "y".repeat(1 << 20);
        for _ in 0..10 {
            turn.apply(TurnEvent::Delta(piece.clone()));
            turn.apply(TurnEvent::Replace(piece.repeat(5)));
            turn.since(&mut seen);
        }
        assert!(turn.text.len() == LONGEST_ANSWER && turn.drafts == 0);
        let whole = TurnEvent::Answered(piece.repeat(4));
        assert_eq!(whole.clone().kept(), whole);
        assert_eq!(TurnEvent::Answered(piece.repeat(5)).kept(), TurnEvent::too_long());
    }

    #[test]
    fn a_watcher_who_comes_late_or_slowly_sees_the_same_text() {
        let mut turn = Turn::default();
        for event in
            [TurnEvent::Started, TurnEvent::Delta("Hel".into()), TurnEvent::Delta("lo".into())]
        {
            turn.apply(event);
        }
        assert_eq!(
            turn.since(&mut Seen::default()),
            [TurnEvent::Doing("working".into()), TurnEvent::Delta("Hello".into())]
        );
        let mut seen = Seen::default();
        turn.since(&mut seen);
        turn.apply(TurnEvent::Replace("Hello again".into()));
        turn.apply(TurnEvent::Answered("Hello again".into()));
        assert_eq!(
            turn.since(&mut seen),
            [TurnEvent::Replace("Hello again".into()), TurnEvent::Answered("Hello again".into())]
        );
        assert_eq!(turn.since(&mut seen), []);
    }
}
