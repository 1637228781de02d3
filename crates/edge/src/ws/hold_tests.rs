//! The rules of held sockets, with time as it is wanted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use http::HeaderValue;
use smartbox_core::BoxFuture;
use smartbox_core::activity::{Activity, Busy, Doing};
use smartbox_core::id::SmartboxId;
use smartbox_core::person::Right;
use smartbox_core::route::Route;
use smartbox_core::route::port::{Resolve, WakeError};
use smartbox_core::sandbox::port::Conn;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::store::StoreError;
use smartbox_core::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::frame::{CLOSE, Head, PING, PONG, Piece, Reader, Sender, TEXT, close, make};
use super::half::Half;
use super::relay::Relay;
use crate::known::Known;
use crate::{Admit, Edge, EdgeParts, EdgeSettings, Person, Scheme};

const HELLO: &str =
    r#"{"type":"res","payload":{"type":"hello-ok","policy":{"tickIntervalMs":8000}}}"#;
const POLL: &str = r#"{"type":"req","id":"7","method":"sessions.catalog.list"}"#;
const SEND: &str = r#"{"type":"req","id":"8","method":"chat.send","params":{"message":"hi"}}"#;
const BYE: &str = r#"{"type":"event","event":"shutdown","payload":{"reason":"gateway stopping"}}"#;

struct World {
    state: watch::Sender<State>,
    desired: Mutex<Option<Desired>>,
    thaws: AtomicBool,
    leaves: AtomicBool,
    signed_in: AtomicBool,
    wakes: AtomicUsize,
    nudges: AtomicUsize,
    touches: AtomicUsize,
}

fn route(desired: Desired, state: State) -> Route {
    Route {
        id: "box_00000000000000000000".parse().unwrap(),
        account: "acc_00000000000000000000".parse().unwrap(),
        name: "pa".into(),
        label: "pa".into(),
        desired,
        state,
        phase: String::new(),
        failure: None,
        port: 1,
    }
}

impl Resolve for World {
    fn route<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Route>, StoreError>> {
        let desired = *self.desired.lock().unwrap();
        Box::pin(async move { Ok(desired.map(|wish| route(wish, *self.state.borrow()))) })
    }
    fn wake(&self, _: SmartboxId, within: Duration) -> BoxFuture<'_, Result<(), WakeError>> {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if self.thaws.load(Ordering::SeqCst) {
                self.state.send_replace(State::Running);
            }
            let mut state = self.state.subscribe();
            let running = state.wait_for(|state| *state == State::Running);
            let late = timeout(within, running).await.is_err();
            if late { Err(WakeError::Late { state: State::Frozen }) } else { Ok(()) }
        })
    }
    fn nudge(&self, _: SmartboxId) -> BoxFuture<'_, Result<(), WakeError>> {
        self.nudges.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(()) })
    }
    fn leaving(&self, _: &SmartboxId) -> bool {
        self.leaves.load(Ordering::SeqCst)
    }
    fn dial(&self, _: SmartboxId) -> BoxFuture<'_, Result<Conn, WakeError>> {
        Box::pin(async { Err(WakeError::Missing) })
    }
    fn changed(&self, _: SmartboxId, seen: State) -> BoxFuture<'_, Result<State, StoreError>> {
        Box::pin(async move {
            let mut state = self.state.subscribe();
            Ok(*state.wait_for(|state| *state != seen).await.map_err(|_| StoreError::Full)?)
        })
    }
}

struct Idle;
impl Busy for Idle {}
impl Activity for World {
    fn begin(&self, _: &SmartboxId, _: Doing) -> Box<dyn Busy> {
        Box::new(Idle)
    }
    fn touch(&self, _: &SmartboxId) {
        self.touches.fetch_add(1, Ordering::SeqCst);
    }
}

fn ann() -> Person {
    Person {
        account: "acc_00000000000000000000".parse().unwrap(),
        who: "ann".into(),
        name: "ann".into(),
        right: Right::Own,
    }
}

impl Admit for World {
    fn remembers(&self, _: &str) -> bool {
        false
    }
    fn who<'a>(
        &'a self,
        _: &'a Route,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, StoreError>> {
        let known = self.signed_in.load(Ordering::SeqCst);
        Box::pin(async move { Ok(known.then(ann)) })
    }
    fn enter<'a>(
        &'a self,
        _: &'a Route,
        _: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async { Ok(None) })
    }
    fn leave<'a>(&'a self, _: &'a Route, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp(5)
    }
}

/// One far end: what a browser or an engine would be.
struct End {
    io: DuplexStream,
    reader: Reader,
    buffer: BytesMut,
    toward: Sender,
}

impl End {
    fn new(io: DuplexStream, hears: Sender) -> Self {
        let toward = if hears == Sender::Engine { Sender::Engine } else { Sender::Client };
        Self { io, reader: Reader::new(hears, 1 << 20), buffer: BytesMut::new(), toward }
    }

    async fn say(&mut self, text: &str) {
        self.raw(&make(TEXT, text.as_bytes(), self.toward)).await;
    }

    async fn raw(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
    }

    /// The next frame; `None` at the end of the stream.
    async fn hear(&mut self) -> Option<(Head, Vec<u8>)> {
        loop {
            match self.reader.next(&mut self.buffer).unwrap() {
                Some(Piece::Whole(head, bytes)) => return Some((head, head.payload(&bytes, 9999))),
                Some(_) => panic!("small frames only"),
                None => {}
            }
            if self.io.read_buf(&mut self.buffer).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// The next frame that is neither a tick nor a ping of the edge's.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let (head, payload) = timeout(Duration::from_mins(10), self.hear()).await.unwrap()?;
            if head.opcode == PING && payload == b"smartbox" {
                let pong = make(PONG, &payload, self.toward);
                self.raw(&pong).await;
            } else if !String::from_utf8_lossy(&payload).contains(r#""event":"tick""#) {
                return Some((head.opcode, payload));
            }
        }
    }

    async fn real(&mut self) -> Option<(u8, String)> {
        self.frame().await.map(|(opcode, payload)| (opcode, String::from_utf8(payload).unwrap()))
    }

    async fn closed_with(&mut self) -> Option<u16> {
        let (opcode, payload) = self.frame().await?;
        assert_eq!(opcode, CLOSE, "{payload:?}");
        super::frame::close_code(&payload)
    }

    /// Whether nothing real comes for so long.
    async fn silent(&mut self, time: Duration) -> bool {
        timeout(time, self.frame()).await.is_err()
    }
}

struct Stage {
    world: Arc<World>,
    edge: Edge,
    client: End,
    engine: End,
}

fn stage() -> Stage {
    stage_with(|_| {})
}

fn stage_with(change: impl FnOnce(&mut EdgeSettings)) -> Stage {
    let world = Arc::new(World {
        state: watch::Sender::new(State::Running),
        desired: Mutex::new(Some(Desired::Auto)),
        thaws: AtomicBool::new(true),
        signed_in: AtomicBool::new(true),
        leaves: AtomicBool::new(false),
        wakes: AtomicUsize::new(0),
        nudges: AtomicUsize::new(0),
        touches: AtomicUsize::new(0),
    });
    let mut settings = EdgeSettings::new(Scheme::Http, "localhost", 80, "/");
    change(&mut settings);
    let edge = Edge::new(EdgeParts {
        resolve: world.clone(),
        activity: world.clone(),
        admit: world.clone(),
        meter: Arc::new(crate::MemoryMeter::new(smartbox_core::limit::Rates::NONE)),
        clock: world.clone(),
        telemetry: Arc::new(smartbox_core::telemetry::Quiet),
        settings,
        drain: CancellationToken::new(),
    });
    let (client, near) = duplex(1 << 16);
    let (engine, far) = duplex(1 << 16);
    let known = Known {
        route: route(Desired::Auto, State::Running),
        person: ann(),
        cookie: "good".into(),
        host: HeaderValue::from_static("pa.localhost"),
        peer: "127.0.0.1:1".parse().unwrap(),
    };
    let near = Half::new(near, Reader::new(Sender::Client, 1 << 20));
    let far = Half::new(far, Reader::new(Sender::Engine, 1 << 20));
    let sessions = edge.inner.sessions.subscribe();
    tokio::spawn(Relay::new(edge.inner.clone(), known, near, far).run(sessions));
    let client = End::new(client, Sender::Engine);
    let engine = End { toward: Sender::Client, ..End::new(engine, Sender::Client) };
    Stage { world, edge, client, engine }
}

impl Stage {
    async fn greet(&mut self) {
        self.engine.say(HELLO).await;
        assert_eq!(self.client.real().await, Some((TEXT, HELLO.into())));
    }

    fn set(&self, state: State) {
        self.world.state.send_replace(state);
    }

    /// Returns once every task waits: paused time moves only then.
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    fn of(count: &AtomicUsize) -> usize {
        count.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn a_frozen_boxes_client_gets_ticks_at_half_the_greetings_interval() {
    let mut s = stage();
    s.greet().await;
    s.set(State::Frozen);
    let (start, mut ticks) = (Instant::now(), 0);
    while ticks < 10 {
        let (head, payload) = s.client.hear().await.unwrap();
        match head.opcode {
            TEXT => {
                let tick = br#"{"type":"event","event":"tick","payload":{"ts":5}}"#;
                assert_eq!(payload, tick);
                ticks += 1;
            }
            PING => s.client.raw(&make(PONG, &payload, Sender::Engine)).await,
            other => panic!("{other}"),
        }
    }
    let taken = start.elapsed().as_secs();
    assert!((40..=41).contains(&taken), "{taken}");
    assert_eq!(s.client.hear().await.unwrap().0.opcode, PING, "with each tick");
    s.set(State::Running);
    assert!(timeout(Duration::from_mins(5), s.client.hear()).await.is_err(), "no tick when awake");
    s.engine.say("back").await;
    assert_eq!(s.client.real().await, Some((TEXT, "back".into())));
    // The answers to the edge's own pings did not reach the engine.
    assert!(s.engine.silent(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_take_the_answers_to_their_pings_is_not_heard() {
    for state in [State::Frozen, State::Stopped] {
        let mut s = stage_with(|settings| settings.limits.frames = None);
        s.greet().await;
        s.set(state);
        s.settle().await;
        let ping = make(PING, &[b'x'; 125], s.client.toward);
        let flood = async {
            for _ in 0..100_000 {
                s.client.raw(&ping).await;
            }
        };
        assert!(timeout(Duration::from_secs(1), flood).await.is_err(), "it waits: {state:?}");
        // Once they are taken it goes on.
        for _ in 0..1_000 {
            s.client.hear().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn polling_waits_for_the_thaw_and_a_person_brings_it() {
    let mut s = stage();
    s.set(State::Frozen);
    s.settle().await;
    s.client.say(POLL).await;
    assert!(s.engine.silent(Duration::from_secs(90)).await);
    assert_eq!((Stage::of(&s.world.wakes), Stage::of(&s.world.touches)), (0, 0));
    s.client.say(SEND).await;
    assert_eq!(s.engine.real().await, Some((TEXT, POLL.into())));
    assert_eq!(s.engine.real().await, Some((TEXT, SEND.into())));
    assert_eq!((Stage::of(&s.world.wakes), Stage::of(&s.world.touches)), (1, 1));
    s.engine.say("answer").await;
    assert_eq!(s.client.real().await, Some((TEXT, "answer".into())));
}

#[tokio::test(start_paused = true)]
async fn polling_beyond_its_bound_is_dropped_and_wakes_nobody() {
    let mut s = stage_with(|settings| {
        (settings.limits.held_bytes, settings.limits.frames) = (1000, None);
    });
    s.set(State::Frozen);
    s.settle().await;
    for _ in 0..300 {
        s.client.say(POLL).await;
    }
    assert!(s.engine.silent(Duration::from_secs(90)).await);
    assert_eq!((Stage::of(&s.world.wakes), Stage::of(&s.world.touches)), (0, 0));
    s.client.say(SEND).await;
    let mut polls = 0;
    loop {
        match s.engine.real().await.unwrap() {
            (TEXT, text) if text == POLL => polls += 1,
            other => {
                assert_eq!(other, (TEXT, SEND.into()), "whatever a person does is kept");
                break;
            }
        }
    }
    assert!((1..30).contains(&polls), "{polls}");
    assert_eq!(Stage::of(&s.world.wakes), 1);
}

/// What the engine says of its suspension.
fn phase(phase: &str) -> String {
    format!(r#"{{"type":"event","event":"gateway.suspension","payload":{{"phase":"{phase}"}}}}"#)
}

#[tokio::test(start_paused = true)]
async fn what_a_person_does_while_the_engine_prepares_waits_until_it_takes_work() {
    let mut s = stage();
    s.engine.say(&phase("preparing")).await;
    assert_eq!(
        s.client.real().await,
        Some((TEXT, phase("accepting"))),
        "the page hears nothing of it"
    );
    s.client.say(SEND).await;
    assert!(s.engine.silent(Duration::from_secs(5)).await);
    assert_eq!((Stage::of(&s.world.wakes), Stage::of(&s.world.touches)), (0, 1));
    s.engine.say(&phase("accepting")).await;
    assert_eq!(s.engine.real().await, Some((TEXT, SEND.into())));
}

#[tokio::test(start_paused = true)]
async fn what_a_person_does_while_it_falls_asleep_wakes_it() {
    let mut s = stage();
    s.engine.say(&phase("preparing")).await;
    s.client.real().await.unwrap();
    s.client.say(SEND).await;
    s.settle().await;
    s.set(State::Frozen);
    assert_eq!(s.engine.real().await, Some((TEXT, SEND.into())));
    assert_eq!(Stage::of(&s.world.wakes), 1);
}

#[tokio::test(start_paused = true)]
async fn a_running_box_is_touched_by_persons_only() {
    let mut s = stage();
    for _ in 0..3 {
        s.client.say(POLL).await;
        s.engine.real().await.unwrap();
    }
    assert_eq!(Stage::of(&s.world.touches), 0);
    for _ in 0..3 {
        s.client.say(SEND).await;
        s.engine.real().await.unwrap();
    }
    assert_eq!(Stage::of(&s.world.touches), 1, "not for every keystroke");
}

#[tokio::test(start_paused = true)]
async fn a_page_stays_over_a_stop_and_comes_again_when_its_person_does() {
    let mut s = stage();
    s.engine.say(BYE).await;
    s.engine.raw(&close(1012, "service restart", Sender::Client)).await;
    s.settle().await;
    s.set(State::Stopped);
    assert!(s.client.silent(Duration::from_mins(9)).await);
    s.client.say(POLL).await;
    assert!(s.client.silent(Duration::from_secs(30)).await);
    assert_eq!(Stage::of(&s.world.nudges), 0);
    s.client.say(SEND).await;
    assert_eq!(s.client.closed_with().await, Some(1012));
    assert_eq!((Stage::of(&s.world.nudges), Stage::of(&s.world.touches)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_may_take_its_time_before_a_page_is_told() {
    let mut s = stage();
    s.world.leaves.store(true, Ordering::SeqCst);
    s.engine.say(BYE).await;
    s.engine.raw(&close(1012, "service restart", Sender::Client)).await;
    assert!(
        s.client.silent(Duration::from_mins(2)).await,
        "the box still runs, on its way to sleep"
    );
    s.set(State::Stopped);
    assert!(s.client.silent(Duration::from_mins(1)).await);

    let mut s = stage();
    s.world.leaves.store(true, Ordering::SeqCst);
    s.engine.raw(&close(1012, "service restart", Sender::Client)).await;
    assert!(s.client.silent(Duration::from_secs(20)).await);
    s.world.leaves.store(false, Ordering::SeqCst);
    assert_eq!(s.client.closed_with().await, Some(1012), "it did not go after all");
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_stopped_box_comes_again_when_the_box_wakes_otherwise() {
    let mut s = stage();
    s.set(State::Frozen);
    s.settle().await;
    s.set(State::Stopped);
    assert!(s.client.silent(Duration::from_mins(1)).await);
    s.set(State::Starting);
    assert_eq!(s.client.closed_with().await, Some(1012));
}

#[tokio::test(start_paused = true)]
async fn a_crash_closes_with_1012_and_an_announced_end_is_passed_on() {
    let mut s = stage();
    let Stage { engine, client, .. } = &mut s;
    engine.io.shutdown().await.unwrap();
    assert!(client.silent(Duration::from_secs(4)).await);
    assert_eq!(client.closed_with().await, Some(1012));

    let mut s = stage();
    s.engine.say(BYE).await;
    s.engine.raw(&close(1012, "x", Sender::Client)).await;
    assert_eq!(s.client.real().await, Some((TEXT, BYE.into())));
    assert_eq!(s.client.closed_with().await, Some(1012));

    let mut s = stage();
    s.engine.say(BYE).await;
    s.engine.raw(&close(1001, "", Sender::Client)).await;
    s.set(State::Starting);
    assert!(timeout(Duration::from_secs(1), s.client.closed_with()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn other_closes_of_the_engine_pass_at_once() {
    let mut s = stage();
    s.engine.raw(&close(4001, "gateway policy changed", Sender::Client)).await;
    let heard = timeout(Duration::from_millis(10), s.client.closed_with()).await;
    assert_eq!(heard, Ok(Some(4001)));
    assert_eq!(s.client.real().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_turned_off_or_removed_closes_with_1001() {
    for desired in [Some(Desired::Off), None] {
        let mut s = stage();
        *s.world.desired.lock().unwrap() = desired;
        s.set(State::Stopped);
        assert_eq!(s.client.closed_with().await, Some(1001));
    }
}

#[tokio::test(start_paused = true)]
async fn a_frozen_boxes_client_is_answered_by_the_edge() {
    let mut s = stage();
    s.set(State::Frozen);
    s.settle().await;
    s.client.raw(&make(PING, b"are you there", Sender::Engine)).await;
    assert_eq!(s.client.real().await, Some((PONG, "are you there".into())));
    s.client.raw(&close(1001, "", Sender::Engine)).await;
    assert_eq!(s.client.closed_with().await, Some(1001));
    assert_eq!(s.client.real().await, None);
    assert_eq!(s.engine.closed_with().await, Some(1001), "and the engine learns of it");
    assert_eq!(Stage::of(&s.world.wakes), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tick_never_stands_in_a_frame_or_a_message() {
    let mut s = stage();
    s.greet().await;
    s.engine.raw(b"\x01\x02ab").await;
    assert_eq!(s.client.real().await, Some((TEXT, "ab".into())));
    s.set(State::Frozen);
    let mut pings = 0;
    while pings < 4 {
        let (head, payload) = s.client.hear().await.unwrap();
        assert_eq!(head.opcode, PING, "a ping may stand in a message, a tick may not");
        s.client.raw(&make(PONG, &payload, Sender::Engine)).await;
        pings += 1;
    }
    // A large frame that is cut by the freeze: nothing at all may stand in it.
    s.engine.raw(b"\x80\x7e\x20\x00").await;
    s.engine.raw(&[b'x'; 600]).await;
    let mut bytes = vec![0; 604];
    s.client.io.read_exact(&mut bytes).await.unwrap();
    let mut more = [0; 1];
    let quiet = timeout(Duration::from_secs(20), s.client.io.read(&mut more)).await;
    assert!(quiet.is_err(), "{more:?}");
    s.engine.raw(&vec![b'x'; 0x2000 - 600]).await;
    let mut rest = vec![0; 0x2000 - 600];
    s.client.io.read_exact(&mut rest).await.unwrap();
    assert!(rest.iter().all(|b| *b == b'x'));
    s.client.reader = Reader::new(Sender::Engine, 1 << 20);
    let (head, _) = s.client.hear().await.unwrap();
    assert_eq!((head.opcode, head.fin), (TEXT, true), "ticks are back");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_is_given_up() {
    let mut s = stage();
    s.greet().await;
    s.set(State::Frozen);
    let start = Instant::now();
    let mut closed = false;
    while let Some((head, _)) = s.client.hear().await {
        closed = head.opcode == CLOSE;
    }
    assert!(closed && start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_wake_that_fails_lets_the_page_come_again() {
    let mut s = stage();
    s.world.thaws.store(false, Ordering::SeqCst);
    s.set(State::Frozen);
    s.settle().await;
    s.client.say(SEND).await;
    assert_eq!(s.client.closed_with().await, Some(1012));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_closes_its_sockets() {
    let mut s = stage();
    s.world.signed_in.store(false, Ordering::SeqCst);
    assert!(s.client.silent(Duration::from_secs(30)).await);
    assert_eq!(s.client.closed_with().await, Some(1008), "at the next look");

    let mut s = stage();
    s.settle().await;
    s.world.signed_in.store(false, Ordering::SeqCst);
    s.edge.sessions_changed();
    let closed = timeout(Duration::from_millis(10), s.client.closed_with()).await;
    assert_eq!(closed, Ok(Some(1008)), "at once when told");
}

#[tokio::test(start_paused = true)]
async fn whoever_breaks_the_protocol_ends_the_relay() {
    for (bytes, code) in [
        (&b"\x81\x02hi"[..], 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
        (b"\x80\x80\0\0\0\0", 1002),
        (b"\x82\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 1009),
    ] {
        let mut s = stage();
        s.client.raw(bytes).await;
        assert_eq!(s.client.closed_with().await, Some(code), "{bytes:?}");
        assert_eq!(s.engine.closed_with().await, Some(1001));
    }
    for bytes in [&b"\x81\x82\0\0\0\0hi"[..], b"\xc1\x00", b"\x89\x7e\x00\x7e", b"\x80\x00"] {
        let mut s = stage();
        s.engine.raw(bytes).await;
        assert_eq!(s.client.closed_with().await, Some(1011), "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_cut_off_in_a_frame_takes_the_client_with_it() {
    let mut s = stage();
    s.engine.raw(b"\x82\x7e\x20\x00").await;
    s.engine.raw(&[b'x'; 600]).await;
    s.engine.io.shutdown().await.unwrap();
    let mut all = vec![];
    s.client.io.read_to_end(&mut all).await.unwrap();
    assert_eq!(all.len(), 604, "no close frame that would be payload");
}
