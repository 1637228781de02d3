//! The rules of a held socket: what passes, what waits, what is answered here, and what ends it.
//! An open page must neither keep a box awake nor lose its connection to one that sleeps.

use std::ops::ControlFlow;
use std::time::Duration;

use bytes::BytesMut;
use smartbox_core::route::port::WakeError;
use smartbox_core::smartbox::{Desired, State};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::ws::frame::{self, CLOSE, Head, PING, PONG, Piece, Sender, TEXT};
use crate::ws::relay::{AGAIN, Ending, Flow, GONE, Mode, Relay, SILENT_BEATS, TOO_FAST};
use crate::ws::talk;

/// The payload of our own pings, so that their answers are not taken for the engine's.
const OURS: &[u8] = b"smartbox";
/// A person's frames are reported at most this often.
const TOUCH: Duration = Duration::from_secs(1);

impl<C, E> Relay<C, E>
where
    C: AsyncRead + AsyncWrite + Unpin,
    E: AsyncRead + AsyncWrite + Unpin,
{
    /// Looks at what the client sent.
    pub(super) async fn client_spoke(&mut self) -> Flow {
        loop {
            let piece = match self.client.reader.next(&mut self.client.input) {
                Ok(Some(piece)) => piece,
                Ok(None) => return Flow::Continue(()),
                Err(violation) => return Self::broken(Sender::Client, violation),
            };
            if !self.pace.bears(&self.edge.settings.limits, &piece) {
                return Flow::Break(TOO_FAST);
            }
            let person = match &piece {
                Piece::Whole(head, bytes) | Piece::Begin(head, bytes) => {
                    talk::by_person(&self.edge.settings.engine, head, bytes)
                }
                Piece::More(_) => false,
            };
            if let Piece::Whole(head, bytes) = &piece
                && head.control()
                && self.control(*head, bytes)?
            {
                continue;
            }
            if person {
                self.person().await?;
            }
            let whole = matches!(piece, Piece::Whole(..));
            let (Piece::Whole(_, bytes) | Piece::Begin(_, bytes) | Piece::More(bytes)) = piece;
            let (held, most) = (self.mode == Mode::Held, self.edge.settings.limits.held_bytes);
            if let Some(engine) = &mut self.engine {
                let full = engine.output.len() + bytes.len() > most;
                if held && full && whole && !person {
                    // What a quiet page asks by itself, for hours, wakes nobody; it asks again.
                    continue;
                }
                engine.push(bytes);
                self.wake |= held && full;
            }
        }
    }

    /// A control frame of the client; whether it ends here.
    fn control(&mut self, head: Head, bytes: &BytesMut) -> ControlFlow<Ending, bool> {
        let payload = head.payload(bytes, 125);
        let away = self.mode != Mode::Live;
        let ours = match head.opcode {
            PONG => payload == OURS,
            PING if away => {
                self.inject(&frame::make(PONG, &payload, Sender::Client), false);
                true
            }
            CLOSE => {
                self.client_closes = true;
                if away {
                    // The engine cannot answer now, and the browser waits for it.
                    self.inject(&frame::make(CLOSE, &payload, Sender::Client), false);
                    if let Some(engine) = &mut self.engine {
                        engine.push(bytes.clone());
                    }
                    return ControlFlow::Break(Ending::Silent);
                }
                false
            }
            _ => false,
        };
        ControlFlow::Continue(ours)
    }

    /// A person did something.
    async fn person(&mut self) -> Flow {
        let id = &self.known.route.id;
        if self.touched.is_none_or(|at| at.elapsed() >= TOUCH) {
            self.touched = Some(Instant::now());
            self.edge.activity.touch(id);
        }
        match self.mode {
            // Who watches over its sleep has seen the touch; if it sleeps by now, it is woken.
            Mode::Live => self.waiting |= self.hushed.is_some(),
            Mode::Held => self.wake = true,
            // There is no engine to wait for on this socket: the page comes again on a new one,
            // and that waits until the box is awake.
            Mode::Parting { .. } | Mode::Absent => {
                self.edge.nudge(id).await;
                return Flow::Break(AGAIN);
            }
        }
        Flow::Continue(())
    }

    /// Looks at what the engine sent.
    pub(super) async fn engine_spoke(&mut self) -> Flow {
        loop {
            let Some(engine) = &mut self.engine else { return Flow::Continue(()) };
            let piece = match engine.reader.next(&mut engine.input) {
                Ok(Some(piece)) => piece,
                Ok(None) => return Flow::Continue(()),
                Err(violation) => return Self::broken(Sender::Engine, violation),
            };
            let whole_message = engine.reader.between_messages();
            let words = &self.edge.settings.engine;
            if let Some(interval) = self.greeting.hear(words, &piece, whole_message) {
                self.beat = interval / 2;
            }
            if let Piece::Whole(head, bytes) = &piece
                && let Some(said) = talk::suspension(words, head, bytes)
            {
                self.hush(!said.takes_work);
                self.client.push(frame::make(TEXT, &said.calm, Sender::Client));
                continue;
            }
            match piece {
                Piece::Whole(head, bytes) if head.opcode == CLOSE && !self.client_closes => {
                    return self.engine_closes(head, bytes).await;
                }
                Piece::Whole(head, bytes)
                    if !self.client_closes && talk::is_farewell(words, &head, &bytes) =>
                {
                    self.farewell = bytes;
                }
                Piece::Whole(_, bytes) | Piece::Begin(_, bytes) | Piece::More(bytes) => {
                    self.client.push(bytes);
                }
            }
        }
    }

    /// The engine says whether it takes work.
    fn hush(&mut self, hushed: bool) {
        self.hushed = hushed.then(|| self.hushed.unwrap_or_else(Instant::now));
        self.waiting &= hushed;
    }

    /// The engine closes the socket: for good, or because it goes away.
    async fn engine_closes(&mut self, head: Head, bytes: BytesMut) -> Flow {
        let mut last = std::mem::take(&mut self.farewell);
        last.extend_from_slice(&bytes);
        match frame::close_code(&head.payload(&bytes, 125)) {
            Some(1001 | 1012) => self.part(last).await,
            _ => {
                self.client.push(last);
                Flow::Break(Ending::Silent)
            }
        }
    }

    /// The engine's end of the socket is gone without a word.
    pub(super) async fn engine_gone(&mut self) -> Flow {
        let Some(engine) = &self.engine else { return Flow::Continue(()) };
        if self.client_closes || !engine.reader.between_frames() {
            return Flow::Break(Ending::Silent);
        }
        let last = std::mem::take(&mut self.farewell);
        self.part(last).await
    }

    /// The engine went away. If the box went to sleep the client need not know.
    async fn part(&mut self, last: BytesMut) -> Flow {
        let whole = self.engine.take().is_none_or(|engine| engine.reader.between_messages());
        if !whole {
            return Flow::Break(AGAIN);
        }
        let until = Instant::now() + self.edge.settings.limits.farewell_time;
        self.mode = Mode::Parting { until, last };
        match self.state {
            State::Running | State::Frozen => Flow::Continue(()),
            state => self.box_is(state).await,
        }
    }

    /// The engine went away, and the box did not go to sleep: the client hears what it said.
    /// A stop that takes longer is waited for: a page that came again now would wake the box.
    pub(super) fn give_up(&mut self) -> Flow {
        let leaving = self.edge.resolve.leaving(&self.known.route.id);
        match &mut self.mode {
            Mode::Parting { until, .. } if leaving => {
                *until = Instant::now() + self.edge.settings.limits.farewell_time;
                Flow::Continue(())
            }
            Mode::Parting { last, .. } if ends_with_close(last) => {
                let last = std::mem::take(last);
                self.client.push(last);
                Flow::Break(Ending::Silent)
            }
            _ => Flow::Break(AGAIN),
        }
    }

    /// The box is in another state now.
    pub(super) async fn box_is(&mut self, state: State) -> Flow {
        self.state = state;
        match (&self.mode, state) {
            (Mode::Live, State::Frozen) => {
                self.mode = Mode::Held;
                self.wake |= std::mem::take(&mut self.waiting);
            }
            (Mode::Held, State::Running) => self.live(),
            (Mode::Live | Mode::Held | Mode::Parting { .. }, State::Stopped)
            | (Mode::Parting { .. }, State::Frozen) => return self.sleep().await,
            (Mode::Parting { .. }, State::Starting | State::Failed) => return Flow::Break(AGAIN),
            // Awake again without this socket: the page is behind, and comes again.
            (Mode::Absent, State::Starting | State::Running) => return Flow::Break(AGAIN),
            _ => {}
        }
        Flow::Continue(())
    }

    /// The engine runs, and is known to take work.
    fn live(&mut self) {
        self.mode = Mode::Live;
        self.hush(false);
    }

    /// The box sleeps without a process. Unless it was turned off or removed, the client stays.
    async fn sleep(&mut self) -> Flow {
        let whole = self.engine.take().is_none_or(|engine| engine.reader.between_messages());
        self.farewell.clear();
        match self.edge.resolve.route(&self.known.route.label).await {
            Ok(Some(route)) if route.id != self.known.route.id => Flow::Break(GONE),
            Ok(None) => Flow::Break(GONE),
            Ok(Some(route)) if route.desired == Desired::Off => Flow::Break(GONE),
            _ if !whole => Flow::Break(AGAIN),
            _ => {
                self.mode = Mode::Absent;
                Flow::Continue(())
            }
        }
    }

    /// The wake that a person's frame asked for came to its end.
    pub(super) fn woken(&mut self, result: &Result<(), WakeError>) -> Flow {
        match result {
            Ok(()) => {
                self.state = State::Running;
                if self.mode == Mode::Held {
                    self.live();
                }
                Flow::Continue(())
            }
            Err(WakeError::Off | WakeError::Missing) => Flow::Break(GONE),
            Err(_) => Flow::Break(AGAIN),
        }
    }

    /// Keeps the client content while the engine cannot.
    pub(super) fn on_beat(&mut self) -> Flow {
        self.silent_beats += 1;
        if self.silent_beats > SILENT_BEATS {
            return Flow::Break(Ending::Close(1001, "no sign of life"));
        }
        let now = self.edge.clock.now().0.to_string();
        let tick = self.edge.settings.engine.tick.replace("{ts}", &now);
        self.inject(&frame::make(TEXT, tick.as_bytes(), Sender::Client), true);
        self.inject(&frame::make(PING, OURS, Sender::Client), false);
        Flow::Continue(())
    }

    /// Puts a frame of ours into the stream to the client, if it ends where one may stand: not in
    /// a frame, and a message not in another message.
    fn inject(&mut self, frame: &BytesMut, message: bool) {
        let fits = self.engine.as_ref().is_none_or(|engine| {
            let reader = &engine.reader;
            if message { reader.between_messages() } else { reader.between_frames() }
        });
        if fits {
            self.client.push(frame.clone());
        }
    }
}

/// Whether held frames end with a close frame; a farewell alone ends nothing.
fn ends_with_close(mut frames: &[u8]) -> bool {
    while let Ok(Some(head)) = frame::head(frames) {
        if head.opcode == CLOSE {
            return true;
        }
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        frames = frames.get(head.size.saturating_add(length)..).unwrap_or_default();
    }
    false
}
