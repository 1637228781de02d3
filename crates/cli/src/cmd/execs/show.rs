//! `smartbox execs show`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::execs::{ExecView, MAX_WAIT_MS, Output};
use smartbox_api::problem::Exit;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::exec::code;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints what a command wrote, and ends with its exit code.
///
/// Of each output the beginning is kept, about 100 KiB, for a day.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The command's id, as `exec --detach` printed it
    #[arg(value_name = "ID")]
    id: String,
    /// Wait for its end
    #[arg(long)]
    wait: bool,
    /// Print the command as JSON; the exit code is then 0
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(look(client, args)).await?;
    if args.json {
        return out::json(&view);
    }
    print(view)
}

async fn look(client: &Client, args: &Args) -> Result<ExecView, CliError> {
    let wait = if args.wait { MAX_WAIT_MS } else { 0 };
    loop {
        let call = call::exec_job(&args.name, &args.id, wait);
        let view = client.json_within(call, Duration::from_millis(wait)).await?;
        if view.state.is_final() || !args.wait {
            return Ok(view);
        }
    }
}

fn print(view: ExecView) -> Result<(), CliError> {
    if let Some(stdout) = &view.stdout {
        out::raw(stdout.text.as_bytes())?;
    }
    if let Some(stderr) = &view.stderr {
        out::note_raw(stderr.text.as_bytes());
    }
    cut("standard output", view.stdout.as_ref());
    cut("standard error", view.stderr.as_ref());
    if let Some(exit) = view.exit {
        return match code(exit.code, exit.signal, exit.oom, exit.timed_out) {
            0 => Ok(()),
            code => Err(CliError::Said(code)),
        };
    }
    let (what, hint) = match view.failure {
        Some(why) => (why.detail, why.hint),
        None if view.state.is_final() => ("the command was cancelled".into(), String::new()),
        None => (
            format!("the command is still {}", view.state.as_str()),
            "`--wait` waits for its end".into(),
        ),
    };
    let exit = if view.state.is_final() { Exit::ExecFailed } else { Exit::Late };
    Err(CliError::Here { what: out::tame(&what), hint, exit })
}

fn cut(which: &str, output: Option<&Output>) {
    if output.is_some_and(|output| output.truncated) {
        out::note(format!("({which} is truncated: only its beginning is kept)"));
    }
}
