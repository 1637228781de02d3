//! Handing messages to the engine, one after another per box, and writing the answers down.
//!
//! ```text
//! queued ──row says handed──► handed ──engine.chat──► answered | failed
//!                               └─ connection or process lost: the engine's history decides:
//!                                    answered there → take it · unknown → send again
//!                                    known there → ask by the same key: it tells how the turn ended, or joins it
//! ```
//!
//! Messages go with the records of their box. One that is open when its box is removed fails with that
//! reason: nobody is left to answer it, and a box that is made again by `undelete` has its home, not them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use smartbox_core::activity::Doing;
use smartbox_core::engine::port::EngineError;
use smartbox_core::engine::{Turn as EngineTurn, TurnEvent};
use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::{Delivery, Message, Redelivery, redeliver};
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::BoxDial;
use smartbox_core::store::{self, StoreError};
use smartbox_core::telemetry::{Event, TRACE};
use tracing::field::Empty;
use tracing::{Instrument, info_span};

use crate::control::Control;
use crate::error::ControlError;
use crate::trail::Trail;

/// History entries that are searched for a message after a crash.
const SEARCHED: u32 = 400;
/// How long nothing may be heard of a turn that the engine works on by itself after a crash.
const RECOVERY: Duration = Duration::from_secs(900);
/// How soon records are read or written again that could not be.
const RECORDS_AGAIN: Duration = Duration::from_secs(1);

/// How soon a message is looked at again that waits for another home to be in place.
const HELD: Duration = Duration::from_millis(500);

/// The boxes that have a delivery at work.
#[derive(Default)]
pub(crate) struct Deliveries(Mutex<HashSet<SmartboxId>>);

impl Deliveries {
    fn begin(&self, id: &SmartboxId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone())
    }

    fn end(&self, id: &SmartboxId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Why a try did not bring an answer.
enum Again {
    /// Try again after this time.
    After(Duration),
    /// The platform goes down, or acts no more. The message stays as it is, for the next process.
    Never,
    /// The box is gone, and its messages with it.
    Gone,
}

/// What a watcher is told of a message whose box is on its way out.
const REMOVED: &str = "the smartbox was removed";
/// And of one that the engine has and never came back to.
const NOT_BACK: &str =
    "the assistant was interrupted and did not come back to this message; please ask again";

impl Control {
    /// Goes on with the messages that an earlier process left.
    pub(crate) async fn deliver_left_over(self: &Arc<Self>) -> Result<(), ControlError> {
        let open = store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.messages().open(None).await })
        })
        .await?;
        for message in open {
            self.live.turn(&message.id);
            self.deliver_soon(&message.smartbox);
        }
        Ok(())
    }

    /// Sees to it that a box's messages are being delivered.
    pub(crate) fn deliver_soon(self: &Arc<Self>, id: &SmartboxId) {
        if !self.deliveries.begin(id) {
            return;
        }
        let (control, id) = (self.clone(), id.clone());
        self.tasks.spawn(async move {
            let draining = control.draining.clone();
            let _ = draining.run_until_cancelled(control.deliver_all(&id)).await;
        });
    }

    async fn deliver_all(self: &Arc<Self>, id: &SmartboxId) {
        let mut waiting: Vec<MessageId> = Vec::new();
        loop {
            let open = match self.open_of(id).await {
                Ok(open) => open,
                Err(error) => {
                    // That says nothing about whether there are any, and each was promised an answer.
                    tracing::warn!(smartbox = %id, %error, "messages cannot be read");
                    tokio::time::sleep(RECORDS_AGAIN).await;
                    continue;
                }
            };
            self.part_with(&waiting, &open);
            waiting = open.iter().map(|message| message.id.clone()).collect();
            let Some(message) = open.into_iter().next() else {
                self.deliveries.end(id);
                // One that was accepted between the look and the end would wait for ever.
                let none = self.open_of(id).await.is_ok_and(|open| open.is_empty());
                if !none && self.deliveries.begin(id) {
                    continue;
                }
                return;
            };
            match self.deliver(message).await {
                // Final, so that its end was told.
                Ok(()) => drop(waiting.remove(0)),
                Err(Again::Never) => {
                    self.deliveries.end(id);
                    return;
                }
                Err(_) => {}
            }
        }
    }

    async fn open_of(&self, id: &SmartboxId) -> Result<Vec<Message>, StoreError> {
        let wanted = id.clone();
        store::read(&*self.parts.store, |tx| {
            Box::pin(async move { tx.messages().open(Some(wanted)).await })
        })
        .await
    }

    /// Tells those who watch messages that were open and went with their box.
    fn part_with(&self, waiting: &[MessageId], open: &[Message]) {
        let still: HashSet<_> = open.iter().map(|message| &message.id).collect();
        for id in waiting.iter().filter(|id| !still.contains(id)) {
            let last = TurnEvent::Failed(REMOVED.into());
            self.live.turn(id).send_modify(|turn| turn.apply(last));
            self.live.end(id);
        }
    }

    /// Tries until the message has its answer, or is given up. An error is [`Again::Never`] or
    /// [`Again::Gone`].
    async fn deliver(self: &Arc<Self>, mut message: Message) -> Result<(), Again> {
        let (id, smartbox) = (message.id.clone(), message.smartbox.clone());
        let span = info_span!(
            target: TRACE, parent: None, "turn", smartbox.id = %smartbox, message.id = %id,
            message.attempts = Empty, message.outcome = Empty,
        );
        self.live.cause(&id).leads_to(&span);
        let mut busy = None;
        self.parts.activity.takes(&smartbox, Trail::of(&span));
        let delivered = loop {
            // What the engine has not heard of waits, and makes nobody busy: one message after another
            // would keep the box from ever standing still.
            if message.state != Delivery::Handed && self.archiving.stands_still(&smartbox) {
                busy = None;
                let doing = TurnEvent::Doing("waiting: its files are being restored".into());
                self.live.turn(&id).send_modify(|turn| turn.apply(doing));
                tokio::time::sleep(HELD).await;
                continue;
            }
            busy.get_or_insert_with(|| self.activity().begin(&smartbox, Doing::Message));
            match self.attempt(&mut message).instrument(span.clone()).await {
                Err(Again::After(pause)) => tokio::time::sleep(pause).await,
                over => break over,
            }
        };
        span.record("message.attempts", message.attempts);
        span.record("message.outcome", message.state.as_str());
        self.parts.activity.takes(&smartbox, Trail::default());
        // Of one that is gone its watchers are told first.
        if !matches!(delivered, Err(Again::Gone)) {
            self.live.end(&id);
        }
        delivered
    }

    async fn attempt(self: &Arc<Self>, message: &mut Message) -> Result<(), Again> {
        let turn = self.live.turn(&message.id);
        match Resolve::wake(&**self, message.smartbox.clone(), self.wake_within()).await {
            Ok(()) => {}
            Err(WakeError::Off) => {
                return self
                    .finish(message, TurnEvent::Failed("the smartbox was turned off".into()))
                    .await;
            }
            Err(WakeError::Missing) => return self.missing(message).await,
            Err(WakeError::Draining) => return Err(Again::Never),
            Err(error) => {
                turn.send_modify(|turn| turn.apply(TurnEvent::Doing(format!("waiting: {error}"))));
                return Err(Again::After(Duration::from_secs(1)));
            }
        }
        if message.state == Delivery::Handed {
            match self.look_up(message).await? {
                Redelivery::Take(text) => {
                    return self.finish(message, TurnEvent::Answered(text)).await;
                }
                Redelivery::Await => return self.hand_over(message, true).await,
                Redelivery::Send => {}
            }
        }
        message.state = Delivery::Handed;
        message.attempts += 1;
        self.save(message).await?;
        self.hand_over(message, false).await
    }

    /// There is no box that could be woken: for good, or because it has just been made.
    async fn missing(&self, message: &mut Message) -> Result<(), Again> {
        match self.row(&message.smartbox).await {
            Ok(None) => Err(Again::Gone),
            Ok(Some(row)) if row.removing => {
                self.finish(message, TurnEvent::Failed(REMOVED.into())).await
            }
            _ => Err(Again::After(RECORDS_AGAIN)),
        }
    }

    /// Hands it to the engine and follows its turn. One that the engine has already begins no second
    /// turn: it tells by the key how the first one ended, or the turn is joined that it runs anew by itself
    /// after it was killed in the middle.
    async fn hand_over(self: &Arc<Self>, message: &mut Message, known: bool) -> Result<(), Again> {
        let turn = self.live.turn(&message.id);
        if known {
            let doing = TurnEvent::Doing("finishing an interrupted turn".into());
            turn.send_modify(|turn| turn.apply(doing));
        }
        let request = EngineTurn {
            session: message.session.clone(),
            text: message.text.clone(),
            idempotency_key: message.id.to_string(),
        };
        let engine = self.engine_of(message).await?;
        let dial = Arc::new(self.dial_of(message));
        let chat = engine.chat(dial, request).await;
        let mut events = match chat {
            Ok(events) => events,
            Err(EngineError::Refused { why }) => {
                return self.finish(message, TurnEvent::Failed(why)).await;
            }
            Err(error) => return Err(self.retry(message, &error)),
        };
        loop {
            let event = match known {
                true => tokio::time::timeout(RECOVERY, events.next()).await,
                // A turn of its own takes as long as the engine lets it.
                false => Ok(events.next().await),
            };
            match event {
                Err(_) => {
                    return self.finish(message, TurnEvent::Failed(NOT_BACK.into())).await;
                }
                Ok(Some(Ok(last @ (TurnEvent::Answered(_) | TurnEvent::Failed(_))))) => {
                    return self.finish(message, last).await;
                }
                Ok(Some(Ok(TurnEvent::Started))) if known => {}
                Ok(Some(Ok(event))) => turn.send_modify(|turn| turn.apply(event)),
                Ok(Some(Err(error))) => return Err(self.retry(message, &error)),
                Ok(None) => return Err(self.retry(message, &EngineError::Interrupted)),
            }
        }
    }

    async fn look_up(&self, message: &Message) -> Result<Redelivery, Again> {
        let engine = self.engine_of(message).await?;
        let history = engine.history(&self.dial_of(message), &message.session, SEARCHED).await;
        let history = history.map_err(|error| self.retry(message, &error))?;
        Ok(redeliver(&message.id, &history))
    }

    async fn finish(&self, message: &mut Message, last: TurnEvent) -> Result<(), Again> {
        let now = self.parts.clock.now();
        let mut done = Message { finished: Some(now), ..message.clone() };
        let last = last.kept();
        match &last {
            TurnEvent::Failed(why) => {
                done.state = Delivery::Failed;
                done.error = Some(why.clone());
            }
            TurnEvent::Answered(text) => {
                done.state = Delivery::Answered;
                done.reply = Some(text.clone());
            }
            _ => return Err(Again::After(Duration::ZERO)),
        }
        // What cannot be written has not happened: the next try finds it handed, and asks the engine.
        self.save(&done).await?;
        *message = done;
        let answered = message.state == Delivery::Answered;
        let took = now.since(message.created);
        self.parts.telemetry.note(Event::Turn { answered, took });
        self.live.turn(&message.id).send_modify(|turn| turn.apply(last));
        Ok(())
    }

    async fn save(&self, message: &Message) -> Result<(), Again> {
        let row = message.clone();
        let written = store::write(&*self.parts.store, |tx| {
            Box::pin(async move { tx.messages().put(row).await })
        })
        .await;
        written.inspect_err(|error| self.heed(error)).map_err(|error| match error {
            StoreError::Fenced => Again::Never,
            StoreError::Missing { .. } => Again::Gone,
            error => {
                tracing::warn!(message_id = %message.id, %error, "a message's state cannot be written");
                Again::After(RECORDS_AGAIN)
            }
        })
    }

    fn retry(&self, message: &Message, error: &EngineError) -> Again {
        tracing::info!(message_id = %message.id, %error, "the message is tried again");
        if let Some(keeper) = self.keeper(&message.smartbox) {
            keeper.nudge();
        }
        match error {
            EngineError::NotReady { retry_after_ms, .. } => {
                Again::After(Duration::from_millis((*retry_after_ms).clamp(50, 5_000)))
            }
            _ => Again::After(Duration::from_millis(250)),
        }
    }

    async fn engine_of(
        &self,
        message: &Message,
    ) -> Result<Arc<dyn smartbox_core::engine::port::Engine>, Again> {
        let row = self.row(&message.smartbox).await.map_err(|error| {
            tracing::warn!(message_id = %message.id, %error, "a smartbox's records cannot be read");
            Again::After(RECORDS_AGAIN)
        })?;
        let row = row.ok_or(Again::Gone)?;
        self.engine(&row.engine).map(|slot| slot.engine.clone()).map_err(|_| Again::Never)
    }

    fn dial_of(&self, message: &Message) -> BoxDial {
        BoxDial { runtime: self.parts.runtime.clone(), id: message.smartbox.clone() }
    }
}
