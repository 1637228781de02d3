//! `box.exec`: a command in a box, run once.

use serde_json::Value;
use smartbox_core::BoxFuture;
use smartbox_core::exec::{Asked, Ended, KEEPS, KIND, MAX_STREAM, Outcome, Output};
use smartbox_core::job::{INTERRUPTED, JobFailure};
use smartbox_link::wire::{ExecOrder, Exit};

use crate::error::ControlError;
use crate::exec::{Caps, Captured, End, Given, Kept};
use crate::jobs::{Ctx, Halt, Work};

pub(super) struct Exec;

impl Work for Exec {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Nobody knows how much of it was done.
    fn resumes(&self) -> bool {
        false
    }

    fn keeps(&self) -> Option<usize> {
        Some(KEEPS)
    }

    fn run<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Value, Halt>> {
        Box::pin(async move {
            let missing = || ControlError::Missing { what: "smartbox" };
            let id = ctx.job().smartbox.clone().ok_or_else(missing)?;
            let row = ctx.control().row(&id).await.map_err(ControlError::from)?;
            let row = row.ok_or_else(missing)?;
            let asked: Asked = ctx.input()?;
            let given = match &asked.given {
                None => Given::default(),
                Some(held) => ctx.control().given.take(held).ok_or_else(lost)?,
            };
            let order = ExecOrder {
                argv: asked.argv,
                env: given.env,
                cwd: asked.cwd,
                timeout_ms: Some(asked.timeout_ms),
                tty: None,
            };
            let actor = ctx.actor();
            let caps = Caps::of(MAX_STREAM);
            let run = ctx.control().run(&actor, &id, order, given.stdin, caps);
            outcome(ctx.unless_stopped(run).await??, &row.name)
        })
    }
}

fn outcome(captured: Captured, name: &str) -> Result<Value, Halt> {
    let exit = match captured.end {
        End::Exit(exit) => exit,
        End::Failed(why) => {
            return Err(Halt::Failed(JobFailure {
                code: "refused".into(),
                detail: format!("the command could not be run: {why}"),
                hint: format!(
                    "look whether the program is there: `smartbox exec {name} -- ls /usr/bin`"
                ),
            }));
        }
    };
    let output = |kept: Kept| Output::of(&kept.bytes, kept.truncated);
    let took_ms = u64::try_from(captured.took.as_millis()).unwrap_or(u64::MAX);
    let Exit { code, signal, oom, timed_out } = exit;
    let outcome = Outcome {
        exit: Ended { code, signal, oom, timed_out, took_ms },
        stdout: output(captured.stdout),
        stderr: output(captured.stderr),
    };
    Ok(serde_json::to_value(outcome).unwrap_or_default())
}

/// It waited for its turn when the process ended that held its variables and its input.
fn lost() -> Halt {
    Halt::Failed(JobFailure {
        code: INTERRUPTED.into(),
        detail: "the platform ended before the command began, and its input with it".into(),
        hint: "nothing was run: ask for it again".into(),
    })
}
