//! Runs a command to its end and keeps what it said, so much and no more.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smartbox_core::id::SmartboxId;
use smartbox_link::client::Exec;
use smartbox_link::frame::Frame;
use smartbox_link::wire::{ExecOrder, Exit};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::begin::Running;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// The longest that a command may be given.
pub const LONGEST: Duration = Duration::from_hours(24);
/// What a command is given if nobody says.
const USUAL: Duration = Duration::from_secs(60);
/// How much longer than its deadline a command is waited for: init kills it, and says so.
const GRACE: Duration = Duration::from_secs(15);
/// Bytes of standard input that go in one frame.
const PIECE: usize = 32 << 10;

/// How much of a command's output is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of standard output.
    pub stdout: usize,
    /// Bytes of standard error.
    pub stderr: usize,
}

impl Caps {
    /// The most that anyone may ask for.
    pub const MOST: usize = 8 << 20;

    /// The same for both, at most [`Caps::MOST`].
    pub const fn of(bytes: usize) -> Self {
        let bytes = if bytes < Self::MOST { bytes } else { Self::MOST };
        Self { stdout: bytes, stderr: bytes }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self::of(1 << 20)
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// How it ended.
    pub end: End,
    /// The beginning of what it wrote to standard output.
    pub stdout: Kept,
    /// The beginning of what it wrote to standard error.
    pub stderr: Kept,
    /// From its beginning to its end.
    pub took: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It ran, and ended like this.
    Exit(Exit),
    /// It could not be run, or its end was never heard of; for a person.
    Failed(String),
}

/// The beginning of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The bytes that are kept.
    pub bytes: Vec<u8>,
    /// Whether there were more.
    pub truncated: bool,
}

impl Kept {
    fn push(&mut self, more: &[u8], cap: usize) {
        let room = cap.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&more[..more.len().min(room)]);
        self.truncated |= more.len() > room;
    }
}

impl Control {
    /// Wakes the box and runs a command to its end or to its deadline, whatever the box does: a
    /// minute if the order names none, a day at the most. It has no terminal. Dropping the future
    /// kills the command.
    pub async fn run(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        mut order: ExecOrder,
        stdin: Bytes,
        caps: Caps,
    ) -> Result<Captured, ControlError> {
        let within = within(&order);
        order.timeout_ms = u64::try_from(within.as_millis()).ok();
        order.tty = None;
        let running = self.exec(actor, id, order).await?;
        Ok(capture(running, stdin, caps, within + GRACE).await)
    }
}

/// How long a command that is not live may run.
pub(super) fn within(order: &ExecOrder) -> Duration {
    order.timeout_ms.map_or(USUAL, Duration::from_millis).min(LONGEST)
}

async fn capture(running: Running, stdin: Bytes, caps: Caps, within: Duration) -> Captured {
    let Running { mut exec, busy } = running;
    let begun = Instant::now();
    let (mut stdout, mut stderr) = (Kept::default(), Kept::default());
    let end = {
        let mut feeding = pin!(feed(exec.input.clone(), stdin));
        let mut fed = false;
        let listening = async {
            loop {
                tokio::select! {
                    biased;
                    end = hear(&mut exec, &mut stdout, &mut stderr, caps) => break end,
                    () = &mut feeding, if !fed => fed = true,
                }
            }
        };
        // Init kills at the deadline; that it does is not believed.
        timeout_at(begun + within, listening).await.unwrap_or_else(|_| {
            End::Exit(Exit { signal: Some(9), timed_out: true, ..Exit::default() })
        })
    };
    drop((exec, busy));
    Captured { end, stdout, stderr, took: begun.elapsed() }
}

/// Listens until the command's end. What it has heard when it is dropped is kept.
async fn hear(exec: &mut Exec, stdout: &mut Kept, stderr: &mut Kept, caps: Caps) -> End {
    loop {
        match exec.next().await {
            Ok(Some(Frame::Stdout(bytes))) => stdout.push(&bytes, caps.stdout),
            Ok(Some(Frame::Stderr(bytes))) => stderr.push(&bytes, caps.stderr),
            Ok(Some(Frame::Exit(exit))) => return End::Exit(exit),
            Ok(Some(Frame::Failed(why))) => return End::Failed(why),
            Ok(Some(_)) => return End::Failed("init's answer is not understood".into()),
            Ok(None) => return End::Failed("the command's output ended early".into()),
            Err(error) => {
                return End::Failed(format!("the connection to the command broke: {error}"));
            }
        }
    }
}

/// Sends standard input and its end. A command that does not read it holds this up.
async fn feed(to: mpsc::Sender<Frame>, mut stdin: Bytes) {
    while !stdin.is_empty() {
        let piece = stdin.split_to(stdin.len().min(PIECE));
        if to.send(Frame::Stdin(piece)).await.is_err() {
            return;
        }
    }
    let _ = to.send(Frame::StdinEnd).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_is_kept_and_the_rest_is_said() {
        let mut kept = Kept::default();
        kept.push(b"abc", 5);
        kept.push(b"de", 5);
        assert!(!kept.truncated, "what just fits is whole");
        kept.push(b"", 5);
        assert!(!kept.truncated);
        kept.push(b"f", 5);
        assert_eq!((kept.bytes.as_slice(), kept.truncated), (&b"abcde"[..], true));
        let mut none = Kept::default();
        none.push(b"x", 0);
        assert!(none.truncated && none.bytes.is_empty());
    }

    #[test]
    fn nobody_is_given_more_than_the_most() {
        assert_eq!(Caps::of(usize::MAX).stdout, Caps::MOST);
        assert_eq!(Caps::default(), Caps { stdout: 1 << 20, stderr: 1 << 20 });
    }
}
