//! Carrying an exec's frames between the platform and this terminal.

use smartbox_api::exec::{self, Frame};
use smartbox_api::problem::Exit;
use tokio::sync::mpsc;

use super::{Args, input, order};
use crate::client::{Client, Exec};
use crate::error::CliError;
use crate::ui::interrupt::Interrupt;
use crate::ui::{out, phase, term};

/// Runs it; the exit code that this process is to end with.
pub(super) async fn run(client: &Client, args: &Args) -> Result<u8, CliError> {
    let (frames, outgoing) = mpsc::channel(8);
    let _ = frames.send(Frame::Order(Box::new(order(args)))).await;
    let mut interrupt = Interrupt::listen();
    let start = phase::while_waiting(client, &args.name, client.exec(&args.name, outgoing));
    let exec = tokio::select! {
        exec = start => exec?,
        signal = interrupt.wait() => return Err(CliError::Interrupted(signal)),
    };
    // After the answer: until then Ctrl-C is Ctrl-C, and nothing typed is lost.
    let raw = if args.tty { term::Raw::enter() } else { None };
    let forward = args.interactive || args.tty || !term::typed();
    let feeding = tokio::spawn(input::feed(frames, forward, args.tty));
    let ended = tokio::select! {
        ended = print(exec, &args.name) => ended,
        signal = interrupt.wait() => Err(CliError::Interrupted(signal)),
    };
    feeding.abort();
    // Whatever is said of the end is said on a terminal that is as it was.
    drop(raw);
    ended.map(|exit| code(exit.code, exit.signal, exit.oom, exit.timed_out))
}

async fn print(mut exec: Exec, name: &str) -> Result<exec::Exit, CliError> {
    loop {
        match exec.next().await? {
            Frame::Stdout(bytes) => out::raw(&bytes)?,
            Frame::Stderr(bytes) => out::note_raw(&bytes),
            Frame::Exit(exit) => return Ok(exit),
            Frame::Failed(why) => {
                return Err(CliError::here(
                    format!("the command could not be run: {}", out::tame(&why)),
                    format!(
                        "look whether the program is there: `smartbox exec {} -- ls /usr/bin`",
                        out::line(name)
                    ),
                ));
            }
            Frame::Order(_)
            | Frame::Stdin(_)
            | Frame::StdinEnd
            | Frame::Resize(_)
            | Frame::Signal(_) => {
                return Err(CliError::Garbled("a frame of the caller's came back".into()));
            }
        }
    }
}

/// The exit code that stands for a command's end; what it does not say is said here.
pub(in crate::cmd) fn code(
    code: Option<i32>,
    signal: Option<i32>,
    oom: bool,
    timed_out: bool,
) -> u8 {
    if timed_out {
        out::note("the command was killed: its time is over");
        return Exit::ExecTimeout.code();
    }
    match (code, signal) {
        (Some(code), _) => u8::try_from(code & 0xff).unwrap_or(1),
        (None, Some(signal)) => {
            if oom {
                out::note("the command was killed: the smartbox ran out of memory");
            }
            128_u8.saturating_add(u8::try_from(signal).unwrap_or(127))
        }
        (None, None) => Exit::ExecFailed.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_pass_through() {
        assert_eq!(code(Some(0), None, false, false), 0);
        assert_eq!(code(Some(7), None, true, false), 7);
        assert_eq!(code(None, Some(9), false, false), 137);
        assert_eq!(code(None, Some(9), false, true), 124);
        assert_eq!(code(None, None, false, false), 125);
    }
}
