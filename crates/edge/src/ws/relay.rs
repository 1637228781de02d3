//! The relay: what happens at either end, to the box, or to the session, one thing after another.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::smartbox::State;
use smartbox_core::store::StoreError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, sleep, timeout};

use crate::edge::Inner;
use crate::known::{Known, Standing};
use crate::ws::frame::{self, Sender, Violation};
use crate::ws::half::{HIGH, Half, Turn};
use crate::ws::pace::Pace;
use crate::ws::talk::Greeting;

/// Where a relay stands with its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The engine runs.
    Live,
    /// It is frozen: the client is kept content, what it sends waits.
    Held,
    /// Its end of the socket is gone, and it is not known why yet. Until `until`; then the client
    /// gets what the engine said last.
    Parting {
        /// When to give up.
        until: Instant,
        /// Its last frames, held back.
        last: BytesMut,
    },
    /// The box sleeps without a process: the client is kept content, what it sends by itself is
    /// dropped.
    Absent,
}

/// How a relay ends for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With what it was sent already.
    Silent,
    /// With this close frame.
    Close(u16, &'static str),
}

/// The page should come again: it reconnects by itself.
pub(crate) const AGAIN: Ending = Ending::Close(1012, "service restart");
/// The page need not come again.
pub(crate) const GONE: Ending = Ending::Close(1001, "smartbox is off");

pub(crate) type Flow = ControlFlow<Ending>;

/// A client that floods: its page should not come again at once.
pub(crate) const TOO_FAST: Ending = Ending::Close(1008, "too fast");

/// An engine takes work again by itself after two minutes, whatever it says.
const LONGEST_HUSH: Duration = Duration::from_secs(150);
/// How long the last frames may take to be written.
const LAST: Duration = Duration::from_secs(3);
/// Beats without a sign of life after which a client is given up.
pub(crate) const SILENT_BEATS: u32 = 6;

pub(crate) struct Relay<C, E> {
    pub(crate) edge: Arc<Inner>,
    pub(crate) known: Known,
    pub(crate) client: Half<C>,
    pub(crate) engine: Option<Half<E>>,
    pub(crate) mode: Mode,
    pub(crate) state: State,
    pub(crate) beat: Duration,
    pub(crate) greeting: Greeting,
    pub(crate) farewell: BytesMut,
    /// Since when the engine takes no work, as it said: what the client says waits until it does again.
    pub(crate) hushed: Option<Instant>,
    /// A person did something meanwhile.
    pub(crate) waiting: bool,
    /// A wake is wanted; taken by the loop.
    pub(crate) wake: bool,
    /// The client has sent its close frame.
    pub(crate) client_closes: bool,
    pub(crate) touched: Option<Instant>,
    pub(crate) silent_beats: u32,
    pub(crate) pace: Pace,
}

enum Event {
    Client(Turn),
    Engine(Turn),
    State(Option<Result<State, StoreError>>),
    Woken(Result<(), WakeError>),
    Beat,
    GiveUp,
    Recheck,
    Drain,
}

impl<C, E> Relay<C, E>
where
    C: AsyncRead + AsyncWrite + Unpin,
    E: AsyncRead + AsyncWrite + Unpin,
{
    pub(crate) fn new(edge: Arc<Inner>, known: Known, client: Half<C>, engine: Half<E>) -> Self {
        let beat = edge.settings.engine.tick_interval / 2;
        Self {
            edge,
            known,
            client,
            engine: Some(engine),
            mode: Mode::Live,
            state: State::Running,
            beat,
            greeting: Greeting::default(),
            farewell: BytesMut::new(),
            hushed: None,
            waiting: false,
            wake: false,
            client_closes: false,
            touched: None,
            silent_beats: 0,
            pace: Pace::new(),
        }
    }

    /// Relays until one end or the platform ends it. `sessions` was subscribed to before its person was
    /// recognised: whoever is shut out while the socket opens is noticed.
    pub(crate) async fn run(mut self, sessions: watch::Receiver<u64>) {
        let ending = self.watch(sessions).await;
        self.finish(ending).await;
    }

    async fn watch(&mut self, mut sessions: watch::Receiver<u64>) -> Ending {
        let edge = self.edge.clone();
        let id = self.known.route.id.clone();
        let mut changed = Box::pin(change(&*edge.resolve, &id, self.state));
        let mut waking = None;
        let mut recheck = tokio::time::interval_at(
            Instant::now() + edge.settings.limits.recheck,
            edge.settings.limits.recheck,
        );
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_beat = Instant::now() + self.beat;
        loop {
            if self.wake && waking.is_none() {
                waking = Some(edge.resolve.wake(id.clone(), edge.settings.limits.wake_time));
            }
            self.wake = false;
            let asleep = matches!(self.mode, Mode::Held | Mode::Absent);
            let give_up = match &self.mode {
                Mode::Parting { until, .. } => Some(*until),
                _ => None,
            };
            let seen = self.state;
            let event = tokio::select! {
                event = poll_fn(|cx| self.poll_ends(cx)) => event,
                state = &mut changed => Event::State(state),
                woken = wait(&mut waking), if waking.is_some() => {
                    waking = None;
                    Event::Woken(woken)
                }
                () = tokio::time::sleep_until(next_beat), if asleep => {
                    next_beat = Instant::now() + self.beat;
                    Event::Beat
                }
                () = until(give_up), if give_up.is_some() => Event::GiveUp,
                _ = recheck.tick() => Event::Recheck,
                Ok(()) = sessions.changed() => Event::Recheck,
                () = edge.drain.cancelled() => Event::Drain,
            };
            let restate = matches!(event, Event::State(_));
            if let ControlFlow::Break(ending) = self.on(event).await {
                return ending;
            }
            if restate || seen != self.state {
                changed = Box::pin(change(&*edge.resolve, &id, self.state));
            }
            if !asleep {
                next_beat = Instant::now() + self.beat;
            }
        }
    }

    async fn on(&mut self, event: Event) -> Flow {
        match event {
            Event::Client(Turn::Ended) => Flow::Break(Ending::Silent),
            Event::Client(_) => {
                self.silent_beats = 0;
                self.client_spoke().await
            }
            Event::Engine(Turn::Ended) => self.engine_gone().await,
            Event::Engine(_) => self.engine_spoke().await,
            Event::State(Some(Ok(state))) => self.box_is(state).await,
            Event::State(Some(Err(StoreError::Missing { .. }))) => Flow::Break(GONE),
            Event::State(_) => Flow::Continue(()),
            Event::Woken(result) => self.woken(&result),
            Event::Beat => self.on_beat(),
            Event::GiveUp => self.give_up(),
            Event::Recheck => self.recheck().await,
            Event::Drain => Flow::Break(AGAIN),
        }
    }

    fn poll_ends(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Event> {
        let taken = self.engine.as_ref().is_none_or(|engine| engine.output.len() < HIGH);
        // What a client says can make words for it: whoever does not take those is not heard.
        let room = taken && self.client.output.len() < HIGH;
        if let std::task::Poll::Ready(turn) = self.client.poll_turn(cx, room, true) {
            return std::task::Poll::Ready(Event::Client(turn));
        }
        let hushed = self.hushed.is_some_and(|since| since.elapsed() < LONGEST_HUSH);
        let (room, live) = (self.client.output.len() < HIGH, self.mode == Mode::Live && !hushed);
        match &mut self.engine {
            Some(engine) => engine.poll_turn(cx, room, live).map(Event::Engine),
            None => std::task::Poll::Pending,
        }
    }

    /// Asks whether the session still stands; a store that does not answer ends nothing.
    async fn recheck(&mut self) -> Flow {
        match self.known.standing(&self.edge).await {
            Standing::Same => Flow::Continue(()),
            Standing::Gone => Flow::Break(Ending::Close(1008, "signed out")),
            // The engine was told what they may when the socket was opened: it has to be told anew.
            Standing::Other => Flow::Break(Ending::Close(1008, "what you may has changed")),
        }
    }

    async fn finish(mut self, ending: Ending) {
        if let Ending::Close(code, reason) = ending {
            // In the middle of a frame a close frame would be taken for payload.
            if self.engine.as_ref().is_none_or(|engine| engine.reader.between_frames()) {
                self.client.push(frame::close(code, reason, Sender::Client));
            }
        }
        if let Some(mut engine) = self.engine.take() {
            if self.client.reader.between_frames() && !self.client_closes {
                engine.push(frame::close(1001, "", Sender::Engine));
            }
            let _ = tokio::join!(timeout(LAST, engine.end()), timeout(LAST, self.client.end()));
        } else {
            let _ = timeout(LAST, self.client.end()).await;
        }
    }

    /// A stream broke the rules: the end of the relay.
    pub(crate) fn broken(by: Sender, violation: Violation) -> Flow {
        tracing::debug!(?by, %violation, "a socket broke the rules");
        Flow::Break(match (by, violation) {
            (Sender::Client, Violation::TooLarge) => Ending::Close(1009, "frame too large"),
            (Sender::Client, _) => Ending::Close(1002, "protocol error"),
            (Sender::Engine, _) => Ending::Close(1011, "the smartbox broke the protocol"),
        })
    }
}

async fn wait<T>(waking: &mut Option<BoxFuture<'_, T>>) -> T {
    match waking {
        Some(waking) => waking.await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

/// Waits for the box to change; after a failure to ask, waits a little and says nothing.
async fn change(
    resolve: &dyn Resolve,
    id: &SmartboxId,
    seen: State,
) -> Option<Result<State, StoreError>> {
    match resolve.changed(id.clone(), seen).await {
        Err(error) if !matches!(error, StoreError::Missing { .. }) => {
            tracing::debug!(%id, %error, "the box's state cannot be watched");
            sleep(Duration::from_secs(1)).await;
            None
        }
        known => Some(known),
    }
}
