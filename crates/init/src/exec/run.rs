//! One command from its start to its last frame.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, Exit};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::control::{self, Caller, Word};
use super::pump;
use super::slot::Slot;
use super::stdio::{self, Ours, Stdio};
use crate::process::image::Image;
use crate::process::{Child, Ended, Group, Job, Port};
use crate::state::State;

/// How long the end of a killed command is waited for; a frozen one dies at the thaw.
const REAP: Duration = Duration::from_secs(5);
/// How long what runs on a terminal may put its things away once the terminal is hung up.
const HANGUP: Duration = Duration::from_secs(1);
/// Far enough away to be never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// Pieces of standard input on their way.
const PIECES: usize = 16;

/// Runs the command. Its answer's receiver going away, or the request's end, kills it.
pub(crate) async fn run(
    state: Arc<State>,
    slot: Slot,
    order: ExecOrder,
    mut env: BTreeMap<String, String>,
    caller: Caller,
    answer: mpsc::Sender<Frame>,
) {
    let deadline =
        Instant::now() + order.timeout_ms.map_or(NEVER, Duration::from_millis).min(NEVER);
    let group = Group::new(&state.spawner, 'x');
    env.extend(group.mark());
    // Relative to the home, as everywhere; an absolute path stays one.
    let cwd = Path::new(&state.document.home).join(order.cwd.as_deref().unwrap_or_default());
    let cwd = cwd.to_string_lossy();
    let oom_before = state.oom.count();
    let begun = Image::new(&order.argv, &env, &cwd).map_err(|e| e.to_string()).and_then(|image| {
        let Stdio { theirs, ours } =
            stdio::open(order.tty).map_err(|e| format!("opening its input and output: {e}"))?;
        let job = Job { image: &image, group: &group, stdio: theirs, tty: order.tty.is_some() };
        let child = state.spawner.spawn(job).map_err(|e| format!("forking: {e}"))?;
        Ok((child, ours))
    });
    let last = match begun {
        Err(why) => {
            group.end(None).await;
            Frame::Failed(why)
        }
        Ok((mut child, ours)) => {
            let mut streams = Streams::begin(ours, caller, &answer, order.tty.is_some());
            let mut outcome = streams.watch(&mut child, &answer, deadline).await;
            if matches!(outcome, Outcome::Cancelled)
                && let Some(end) = streams.hang_up(&mut child, deadline).await
            {
                outcome = Outcome::Ended(Some(end));
            }
            let killed = group.end(Some(child.pid)).await;
            let end = outcome.end(&mut child, killed).await;
            streams.drain().await;
            let oom = state.oom.count() > oom_before;
            match outcome {
                Outcome::Failed(why) => Frame::Failed(why),
                outcome => Frame::Exit(exit(end, oom, matches!(outcome, Outcome::Late))),
            }
        }
    };
    drop(slot);
    let _ = answer.send(last).await;
}

fn exit(end: Option<Ended>, oom: bool, timed_out: bool) -> Exit {
    match end {
        Some(end) => end.exit(oom, timed_out),
        None => Exit { signal: Some(libc::SIGKILL), oom, timed_out, ..Exit::default() },
    }
}

/// Why a command is no longer watched.
enum Outcome {
    Ended(Option<Ended>),
    Late,
    Cancelled,
    Failed(String),
}

impl Outcome {
    /// How the process ended; `None` if it has not, though it was killed.
    async fn end(&self, child: &mut Child, killed: bool) -> Option<Ended> {
        match self {
            Self::Ended(end) => *end,
            _ if killed => timeout(REAP, &mut child.end).await.ok()?.ok(),
            _ => None,
        }
    }
}

/// Everything that flows to and from a command.
struct Streams {
    ours: Arc<Port>,
    pumps: Vec<tokio::task::JoinHandle<()>>,
    ended: watch::Sender<bool>,
    feeder: tokio::task::JoinHandle<()>,
    words: mpsc::Receiver<Word>,
    gone: oneshot::Receiver<()>,
    cancelled: oneshot::Receiver<()>,
    /// The command's side, if it is a terminal.
    terminal: Option<OwnedFd>,
}

impl Streams {
    fn begin(ours: Ours, caller: Caller, answer: &mpsc::Sender<Frame>, tty: bool) -> Self {
        let (ended, _) = watch::channel(false);
        let (to_feeder, pieces) = mpsc::channel(PIECES);
        let (to_runner, words) = mpsc::channel(PIECES);
        let (alive, gone) = oneshot::channel();
        let mut pumps = vec![tokio::spawn(pump::pump(
            Arc::clone(&ours.stdout),
            Frame::Stdout,
            answer.clone(),
            ended.subscribe(),
        ))];
        pumps.extend(ours.stderr.map(|stderr| {
            tokio::spawn(pump::pump(stderr, Frame::Stderr, answer.clone(), ended.subscribe()))
        }));
        let feeder = tokio::spawn(control::feed(ours.stdin, pieces, tty));
        tokio::spawn(control::listen(caller.body, caller.buffer, to_feeder, to_runner, alive));
        let (cancelled, terminal) = (caller.cancelled, ours.held);
        Self { ours: ours.stdout, pumps, ended, feeder, words, gone, cancelled, terminal }
    }

    /// Waits for the end, the deadline or the caller's leaving, and passes words on meanwhile.
    async fn watch(
        &mut self,
        child: &mut Child,
        answer: &mpsc::Sender<Frame>,
        deadline: Instant,
    ) -> Outcome {
        let mut starting = true;
        loop {
            tokio::select! {
                biased;
                started = child.report.started(), if starting => match started {
                    Ok(()) => starting = false,
                    Err(why) => return Outcome::Failed(why),
                },
                end = &mut child.end => return Outcome::Ended(end.ok()),
                () = sleep_until(deadline) => return Outcome::Late,
                () = answer.closed() => return Outcome::Cancelled,
                _ = &mut self.cancelled => return Outcome::Cancelled,
                _ = &mut self.gone => return Outcome::Cancelled,
                Some(word) = self.words.recv() => match word {
                    Word::Resize(size) => drop(stdio::resize(&*self.ours, size)),
                    Word::Signal(signal) => self.signal(child, signal),
                },
            }
        }
    }

    /// On a terminal the signals of its keys go where its keys would send them.
    fn signal(&self, child: &Child, signal: Signal) {
        let key = matches!(signal, Signal::INT | Signal::QUIT | Signal::TSTP);
        if self.terminal.is_some() && key {
            stdio::signal_foreground(&*self.ours, signal);
        } else {
            child.signal_group(signal);
        }
    }

    /// Tells what runs on a terminal that nobody is there any more, as the kernel would: a shell
    /// writes its history then. Whoever stays is for the caller to kill.
    async fn hang_up(&self, child: &mut Child, deadline: Instant) -> Option<Ended> {
        self.terminal.as_ref()?;
        child.signal_group(Signal::HUP);
        child.signal_group(Signal::CONT);
        let until = deadline.min(Instant::now() + HANGUP);
        timeout_at(until, &mut child.end).await.ok()?.ok()
    }

    /// Sends what the command wrote before its end.
    async fn drain(self) {
        self.feeder.abort();
        let _ = self.ended.send(true);
        for pump in self.pumps {
            let _ = pump.await;
        }
    }
}
