//! The engine's keeper: which state follows which.

use std::time::Duration;

use rustix::process::Signal;
use smartbox_link::wire::{EngineOrder, EngineState};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::Ask;
use super::backoff::Backoff;
use super::run::{Run, Starter};
use crate::process::Ended;

/// The grace of an engine that another order replaces, which has none of its own.
const REPLACE: Duration = Duration::from_secs(10);
/// The longest grace.
const MAX_GRACE: Duration = Duration::from_secs(900);

type Reply = oneshot::Sender<Result<(), String>>;

/// Keeps the engine in the state that was asked for last.
pub(crate) struct Keeper {
    asks: mpsc::Receiver<Ask>,
    starter: Starter,
}

enum Phase {
    Rest,
    Up { order: Box<EngineOrder>, backoff: Backoff, run: Run },
    Wait { order: Box<EngineOrder>, backoff: Backoff, until: Instant },
    Down(Down),
    Gone,
}

struct Down {
    run: Run,
    kill_at: Instant,
    waiters: Vec<oneshot::Sender<()>>,
    next: Option<(Box<EngineOrder>, Reply)>,
}

impl Keeper {
    pub(crate) fn new(asks: mpsc::Receiver<Ask>, starter: Starter) -> Self {
        Self { asks, starter }
    }

    /// Works until nobody can ask any more.
    pub(crate) async fn work(mut self) {
        let mut phase = Phase::Rest;
        loop {
            phase = match phase {
                Phase::Rest => self.rest().await,
                Phase::Up { order, backoff, run } => self.up(order, backoff, run).await,
                Phase::Wait { order, backoff, until } => self.wait(order, backoff, until).await,
                Phase::Down(down) => self.down(down).await,
                Phase::Gone => return,
            }
        }
    }

    async fn rest(&mut self) -> Phase {
        match self.asks.recv().await {
            None => Phase::Gone,
            Some(Ask::Start(order, reply)) => self.begin(order, reply).await,
            Some(Ask::Stop(_, reply)) => {
                let _ = reply.send(());
                Phase::Rest
            }
        }
    }

    /// The first start of an order.
    async fn begin(&mut self, order: Box<EngineOrder>, reply: Reply) -> Phase {
        self.starter.set(|status| status.starts = 0);
        match self.starter.begin(&order).await {
            Ok(run) => {
                let _ = reply.send(Ok(()));
                Phase::Up { order, backoff: Backoff::default(), run }
            }
            Err(why) => {
                self.starter.log.line(&format!("the engine does not start: {why}"));
                self.starter.set(|status| status.state = EngineState::Ended);
                let _ = reply.send(Err(why));
                Phase::Rest
            }
        }
    }

    async fn up(&mut self, order: Box<EngineOrder>, backoff: Backoff, mut run: Run) -> Phase {
        tokio::select! {
            end = &mut run.child.end => self.ended(order, backoff, run, end).await,
            ask = self.asks.recv() => match ask {
                None => Phase::Gone,
                Some(Ask::Start(same, reply)) if same == order => {
                    let _ = reply.send(Ok(()));
                    Phase::Up { order, backoff, run }
                }
                Some(Ask::Start(other, reply)) => Self::lower(run, REPLACE, Vec::new(), Some((other, reply))),
                Some(Ask::Stop(grace, reply)) => Self::lower(run, grace, vec![reply], None),
            },
        }
    }

    fn lower(
        run: Run,
        grace: Duration,
        waiters: Vec<oneshot::Sender<()>>,
        next: Option<(Box<EngineOrder>, Reply)>,
    ) -> Phase {
        run.child.signal(Signal::TERM);
        Phase::Down(Down { run, kill_at: Instant::now() + grace.min(MAX_GRACE), waiters, next })
    }

    /// The engine ended by itself.
    async fn ended(
        &mut self,
        order: Box<EngineOrder>,
        mut backoff: Backoff,
        run: Run,
        end: Result<Ended, oneshot::error::RecvError>,
    ) -> Phase {
        let end = end.unwrap_or(Ended { code: None, signal: None });
        let ran = self.starter.finish(run, end).await;
        if end.code.is_some_and(|code| order.final_codes.contains(&code)) {
            self.starter.log.line(&format!("the engine ended with the final {}", told(end)));
            self.starter.set(|status| status.state = EngineState::Ended);
            return Phase::Rest;
        }
        let wait = backoff.after(ran);
        self.starter
            .log
            .line(&format!("the engine ended with {}; next start in {wait:?}", told(end)));
        self.starter.set(|status| status.state = EngineState::Backoff);
        Phase::Wait { order, backoff, until: Instant::now() + wait }
    }

    async fn wait(
        &mut self,
        order: Box<EngineOrder>,
        mut backoff: Backoff,
        until: Instant,
    ) -> Phase {
        tokio::select! {
            () = sleep_until(until) => match self.starter.begin(&order).await {
                Ok(run) => Phase::Up { order, backoff, run },
                Err(why) => {
                    let wait = backoff.after(Duration::ZERO);
                    self.starter.log.line(&format!("the engine does not start: {why}; next try in {wait:?}"));
                    Phase::Wait { order, backoff, until: Instant::now() + wait }
                }
            },
            ask = self.asks.recv() => match ask {
                None => Phase::Gone,
                Some(Ask::Start(same, reply)) if same == order => {
                    let _ = reply.send(Ok(()));
                    Phase::Wait { order, backoff, until }
                }
                Some(Ask::Start(other, reply)) => self.begin(other, reply).await,
                Some(Ask::Stop(_, reply)) => {
                    self.starter.set(|status| status.state = EngineState::Ended);
                    let _ = reply.send(());
                    Phase::Rest
                }
            },
        }
    }

    async fn down(&mut self, mut down: Down) -> Phase {
        tokio::select! {
            end = &mut down.run.child.end => {
                let end = end.unwrap_or(Ended { code: None, signal: None });
                self.starter.finish(down.run, end).await;
                self.starter.log.line(&format!("the engine was stopped and ended with {}", told(end)));
                self.starter.set(|status| status.state = EngineState::Ended);
                for waiter in down.waiters {
                    let _ = waiter.send(());
                }
                match down.next {
                    Some((order, reply)) => self.begin(order, reply).await,
                    None => Phase::Rest,
                }
            }
            () = sleep_until(down.kill_at) => {
                self.starter.kill(&down.run).await;
                // A frozen one dies at the thaw; the end is waited for, not the clock.
                down.kill_at = Instant::now() + MAX_GRACE;
                Phase::Down(down)
            }
            ask = self.asks.recv() => {
                match ask {
                    None => return Phase::Gone,
                    Some(Ask::Start(order, reply)) => down.supersede(Some((order, reply))),
                    Some(Ask::Stop(grace, reply)) => {
                        down.supersede(None);
                        down.kill_at = down.kill_at.min(Instant::now() + grace.min(MAX_GRACE));
                        down.waiters.push(reply);
                    }
                }
                Phase::Down(down)
            }
        }
    }
}

impl Down {
    fn supersede(&mut self, next: Option<(Box<EngineOrder>, Reply)>) {
        if let Some((_, reply)) = std::mem::replace(&mut self.next, next) {
            let _ = reply.send(Err("a later order took its place".into()));
        }
    }
}

fn told(end: Ended) -> String {
    match (end.code, end.signal) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".into(),
    }
}
