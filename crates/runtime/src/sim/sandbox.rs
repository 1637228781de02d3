//! One simulated sandbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::Conn;
use smartbox_core::sandbox::{EngineProcess, Exit, SandboxSpec};
use smartbox_link::wire::{EngineOrder, EngineState, EngineStatus, Status};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::home::Home;
use super::{Serve, Visit, pipe};

/// The programs of the commands that were begun.
pub(super) type Commands = Arc<Mutex<Vec<String>>>;

type Calls = (mpsc::UnboundedSender<Conn>, Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Conn>>>);

pub(super) struct Sandbox {
    id: SmartboxId,
    fence: u64,
    pub(super) home: Home,
    pub(super) commands: Commands,
    serve: Serve,
    frozen: watch::Sender<bool>,
    engine: Mutex<Process>,
    calls: HashMap<u16, Calls>,
    ended: CancellationToken,
}

#[derive(Default)]
struct Process {
    order: Option<EngineOrder>,
    status: EngineStatus,
    life: CancellationToken,
}

impl Sandbox {
    pub(super) fn new(spec: &SandboxSpec, home: Home, serve: Serve) -> Arc<Self> {
        let calls = spec.listeners.iter().map(|port| {
            let (send, receive) = mpsc::unbounded_channel();
            (*port, (send, Arc::new(tokio::sync::Mutex::new(receive))))
        });
        Arc::new(Self {
            id: spec.id.clone(),
            fence: spec.fence,
            home,
            commands: Commands::default(),
            serve,
            frozen: watch::channel(false).0,
            engine: Mutex::default(),
            calls: calls.collect(),
            ended: CancellationToken::new(),
        })
    }

    pub(super) fn fence(&self) -> u64 {
        self.fence
    }

    pub(super) fn is_frozen(&self) -> bool {
        *self.frozen.borrow()
    }

    pub(super) fn freeze(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }

    pub(super) fn end(&self) {
        self.process().life.cancel();
        self.ended.cancel();
    }

    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    pub(super) fn engine(&self) -> EngineProcess {
        let status = self.process().status.clone();
        let known = status.last_exit.map(|exit| Exit {
            code: exit.code,
            signal: exit.signal,
            oom: exit.oom,
        });
        let last = known.unwrap_or(Exit { code: None, signal: None, oom: false });
        match status.state {
            EngineState::Idle => EngineProcess::Idle,
            EngineState::Running => EngineProcess::Running { starts: status.starts, last: known },
            EngineState::Backoff => EngineProcess::Backoff { starts: status.starts, last },
            EngineState::Ended => EngineProcess::Ended { last },
        }
    }

    /// Starts the engine as init does: the same order twice is one start.
    pub(super) fn order(&self, order: EngineOrder) {
        let mut process = self.process();
        if process.order.as_ref() == Some(&order) && process.status.state == EngineState::Running {
            return;
        }
        process.life.cancel();
        process.life = CancellationToken::new();
        process.order = Some(order);
        process.status =
            EngineStatus { state: EngineState::Running, pid: Some(2), starts: 1, last_exit: None };
    }

    /// Ends the engine for good.
    pub(super) fn stop(&self, code: i32) {
        let mut process = self.process();
        process.life.cancel();
        process.status.state = EngineState::Ended;
        process.status.last_exit =
            Some(smartbox_link::wire::Exit { code: Some(code), ..Default::default() });
    }

    /// The engine's process is killed, for want of memory if so, and started again.
    pub(super) fn crash(&self, oom: bool) {
        let mut process = self.process();
        process.life.cancel();
        process.life = CancellationToken::new();
        process.status.starts += 1;
        process.status.last_exit =
            Some(smartbox_link::wire::Exit { signal: Some(9), oom, ..Default::default() });
    }

    pub(super) fn status(&self) -> Status {
        Status {
            id: self.id.to_string(),
            fence: self.fence,
            engine: self.process().status.clone(),
            execs: 0,
            uptime_secs: 0,
            confined: Vec::new(),
        }
    }

    /// Connects to a port of the engine. None if no engine runs.
    pub(super) fn visit(&self, port: u16) -> Option<Conn> {
        let process = self.process();
        if process.status.state != EngineState::Running || self.ended.is_cancelled() {
            return None;
        }
        let (caller, engine) = pipe::pipe(&self.frozen.subscribe(), &process.life);
        let visit =
            Visit { id: self.id.clone(), port, process: (self.fence, process.status.starts) };
        let (served, life) = ((self.serve)(visit, engine), process.life.clone());
        tokio::spawn(async move { life.run_until_cancelled(served).await });
        Some(caller)
    }

    pub(super) fn listens(&self, port: u16) -> bool {
        self.calls.contains_key(&port)
    }

    pub(super) fn call_out(&self, port: u16) -> Option<Conn> {
        let (inside, outside) = pipe::pipe(&self.frozen.subscribe(), &self.ended);
        self.calls.get(&port)?.0.send(outside).ok()?;
        Some(inside)
    }

    pub(super) async fn next_call(&self, port: u16) -> Option<Conn> {
        let calls = self.calls.get(&port)?.1.clone();
        self.ended.run_until_cancelled(async { calls.lock().await.recv().await }).await.flatten()
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
