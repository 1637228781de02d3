//! A scripted engine: it answers as it is told, remembers what it was given, and keeps the suspend contract.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use smartbox_core::config::Taken;
use smartbox_core::engine::port::{Engine, EngineError};
use smartbox_core::engine::{
    Configured, Health, HistoryEntry, Manifest, Role, Settings, Suspended, Turn, TurnEvent,
};
use smartbox_core::sandbox::port::Dial;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_core::{BoxFuture, BoxStream};
use smartbox_runtime::sim::{Call, Sim};

use crate::world::Paused;

/// Where it finds the AI gateway.
pub const MODEL_PORT: u16 = 2;

/// What the engine does next.
#[derive(Default)]
pub struct Will {
    /// It says that it is at work when asked to hold still.
    pub busy: bool,
    /// When its clock wants it awake.
    pub alarm: Option<Timestamp>,
    /// The connection is cut after the message was taken, so often.
    pub cut: u32,
    /// It never takes the messages that come meanwhile, so often.
    pub lose: u32,
    /// It cannot be asked for its history, so often, as while it restarts.
    pub away: u32,
    /// A configuration with this word is refused.
    pub refuses: Option<String>,
    /// How it stands to its file, each time that it is asked; it has taken it up if there is nothing.
    pub takes: VecDeque<Result<Taken, EngineError>>,
    /// It runs and does not answer.
    pub deaf: bool,
    /// It refuses every message.
    pub says_no: bool,
    /// It does not find itself well.
    pub ill: bool,
    /// How long a turn takes.
    pub turn: Duration,
    /// What happens while it is asked to hold still, once.
    pub meanwhile: Option<Box<dyn FnOnce() + Send>>,
    /// The connection is cut when it is asked to go on, so often.
    pub cut_resume: u32,
}

pub struct Script {
    manifest: Manifest,
    /// The same with a doctor that finds something.
    ill: Manifest,
    sim: Arc<Sim>,
    clock: Arc<Paused>,
    will: Mutex<Will>,
    past: Arc<Past>,
    /// The lease, and the process that holds still for it.
    lease: Mutex<Option<(String, u32)>>,
    /// The names of what was asked, in order.
    asked: Mutex<Vec<String>>,
}

/// What it remembers.
#[derive(Default)]
struct Past {
    rows: Mutex<Vec<HistoryEntry>>,
    /// How the turn failed that was interrupted last.
    failed: Mutex<Option<String>>,
    /// Told of every end of a turn that was interrupted.
    ended: tokio::sync::Notify,
}

impl Past {
    /// How the turn of a message that is known already ended, or ends.
    async fn known(&self, key: &str) -> TurnEvent {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            let history = lock(&self.rows).clone();
            let mine = history.iter().skip_while(|e| e.idempotency_key.as_deref() != Some(key));
            if let Some(answer) = mine.skip(1).find(|e| e.role == Role::Assistant) {
                return TurnEvent::Answered(answer.text.clone());
            }
            if let Some(why) = lock(&self.failed).clone() {
                return TurnEvent::Failed(why);
            }
            ended.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Script {
    pub fn new(sim: Arc<Sim>, clock: Arc<Paused>) -> Arc<Self> {
        let manifest = Manifest {
            name: "script".into(),
            version: "1".into(),
            floor: "1".into(),
            argv: vec!["script".into()],
            env: Default::default(),
            port: 1,
            model_port: MODEL_PORT,
            workspace: "workspace".into(),
            config: "config".into(),
            dirs: vec![],
            config_exit: vec![78],
            doctor: vec!["exit".into(), "0".into()],
            ready_secs: 60,
            grace_secs: 5,
        };
        Arc::new(Self {
            ill: Manifest {
                doctor: ["fail", "3", "the", "database", "is", "malformed"]
                    .map(str::to_owned)
                    .into(),
                ..manifest.clone()
            },
            manifest,
            sim,
            clock,
            will: Mutex::default(),
            past: Arc::default(),
            lease: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    pub fn will(&self) -> MutexGuard<'_, Will> {
        lock(&self.will)
    }

    pub fn times_given(&self, text: &str) -> usize {
        lock(&self.past.rows).iter().filter(|e| e.role == Role::Person && e.text == text).count()
    }

    pub fn asked(&self, what: &str) -> usize {
        lock(&self.asked).iter().filter(|asked| *asked == what).count()
    }

    /// As the engine does by itself after it was killed in the middle of a turn.
    pub fn recover(&self) {
        let entry = HistoryEntry {
            role: Role::Assistant,
            text: "recovered".into(),
            idempotency_key: None,
            at: None,
            complete: true,
        };
        lock(&self.past.rows).push(entry);
        self.past.ended.notify_waiters();
    }

    /// The turn that was interrupted ends without an answer.
    pub fn fail(&self, why: &str) {
        *lock(&self.past.failed) = Some(why.to_owned());
        self.past.ended.notify_waiters();
    }

    /// Each start is another process.
    fn process(&self) -> u32 {
        self.sim.faults().calls(Call::Start)
    }

    fn note(&self, what: &str) {
        lock(&self.asked).push(what.to_owned());
    }

    /// Takes a message in. Whether it is new.
    fn take(&self, turn: &Turn) -> bool {
        let mut history = lock(&self.past.rows);
        let new =
            !history.iter().any(|e| e.idempotency_key.as_ref() == Some(&turn.idempotency_key));
        if new {
            history.push(HistoryEntry {
                role: Role::Person,
                text: turn.text.clone(),
                idempotency_key: Some(turn.idempotency_key.clone()),
                at: None,
                complete: true,
            });
        }
        new
    }
}

impl Engine for Script {
    fn manifest(&self) -> &Manifest {
        if self.will().ill { &self.ill } else { &self.manifest }
    }

    fn configure(&self, current: Option<&[u8]>, settings: &Settings) -> Configured {
        crate::configs::configure(current, settings)
    }

    fn health<'a>(&'a self, _: &'a dyn Dial) -> BoxFuture<'a, Result<Health, EngineError>> {
        Box::pin(async {
            if lock(&self.lease).as_ref().is_some_and(|(_, of)| *of == self.process()) {
                return Ok(Health::Draining);
            }
            self.note("health");
            if self.will().deaf {
                return Ok(Health::Silent);
            }
            let refuses = self.will().refuses.clone();
            if let Some(word) = refuses
                && self.sim.end_engines_configured_with("config", &word, 78)
            {
                return Ok(Health::Silent);
            }
            Ok(Health::Ready)
        })
    }

    fn chat(
        &self,
        _: Arc<dyn Dial>,
        turn: Turn,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Result<TurnEvent, EngineError>>, EngineError>>
    {
        Box::pin(async move {
            self.note("chat");
            let wait = {
                let mut will = self.will();
                if will.says_no {
                    return Err(EngineError::Refused { why: "no".into() });
                }
                if will.lose > 0 {
                    will.lose -= 1;
                    return Err(EngineError::Interrupted);
                }
                will.turn
            };
            if !self.take(&turn) {
                let past = self.past.clone();
                let last = async move { Ok(past.known(&turn.idempotency_key).await) };
                let events = stream::iter([Ok(TurnEvent::Started)]).chain(stream::once(last));
                return Ok(Box::pin(events) as BoxStream<'static, _>);
            }
            self.note("turn");
            let cut = std::mem::replace(&mut self.will().cut, 0);
            if cut > 0 {
                self.will().cut = cut - 1;
                let events = vec![Ok(TurnEvent::Started), Err(EngineError::Interrupted)];
                return Ok(Box::pin(stream::iter(events)) as BoxStream<'static, _>);
            }
            tokio::time::sleep(wait).await;
            let text = format!("you said: {}", turn.text);
            lock(&self.past.rows).push(HistoryEntry {
                role: Role::Assistant,
                text: text.clone(),
                idempotency_key: None,
                at: None,
                complete: true,
            });
            let events = vec![
                Ok(TurnEvent::Started),
                Ok(TurnEvent::Delta(text.clone())),
                Ok(TurnEvent::Answered(text)),
            ];
            Ok(Box::pin(stream::iter(events)) as BoxStream<'static, _>)
        })
    }

    fn history<'a>(
        &'a self,
        _: &'a dyn Dial,
        _: &'a str,
        _: u32,
    ) -> BoxFuture<'a, Result<Vec<HistoryEntry>, EngineError>> {
        Box::pin(async {
            self.note("history");
            let mut will = self.will();
            if will.away > 0 {
                will.away -= 1;
                return Err(EngineError::Interrupted);
            }
            Ok(lock(&self.past.rows).clone())
        })
    }

    fn suspend<'a>(
        &'a self,
        _: &'a dyn Dial,
        request: &'a str,
    ) -> BoxFuture<'a, Result<Suspended, EngineError>> {
        Box::pin(async move {
            self.note("suspend");
            if self.will().deaf {
                return Err(EngineError::Interrupted);
            }
            let meanwhile = self.will().meanwhile.take();
            if let Some(happen) = meanwhile {
                happen();
            }
            if self.will().busy {
                return Ok(Suspended::Busy { why: "a turn".into(), retry_after_ms: 20_000 });
            }
            let lease = format!("lease-of-{request}");
            *lock(&self.lease) = Some((lease.clone(), self.process()));
            Ok(Suspended::Ready { lease, expires: self.clock.now().plus(Duration::from_secs(120)) })
        })
    }

    fn resume<'a>(
        &'a self,
        _: &'a dyn Dial,
        lease: &'a str,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(async move {
            self.note("resume");
            {
                let mut will = self.will();
                if will.cut_resume > 0 {
                    will.cut_resume -= 1;
                    return Err(EngineError::Interrupted);
                }
            }
            let mut held = lock(&self.lease);
            assert!(held.as_ref().is_none_or(|(of, _)| of == lease), "another lease is ended");
            *held = None;
            Ok(())
        })
    }

    fn next_wake<'a>(
        &'a self,
        _: &'a dyn Dial,
    ) -> BoxFuture<'a, Result<Option<Timestamp>, EngineError>> {
        Box::pin(async {
            let will = self.will();
            if will.deaf { Err(EngineError::Interrupted) } else { Ok(will.alarm) }
        })
    }
}
