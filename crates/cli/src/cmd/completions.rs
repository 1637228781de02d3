//! `smartbox completions`, and what completions ask a platform for.

use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use clap_complete::Shell;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;
use smartbox_api::call;
use smartbox_server::config::Env;
use tokio::runtime;

use crate::client::{Client, Place};
use crate::error::CliError;
use crate::ui::out;

/// The variable by which a shell's script asks this program what could come next.
pub(crate) const ASKED: &str = "COMPLETE";
/// Nobody waits longer for a name after a press of the tabulator.
const PATIENCE: Duration = Duration::from_millis(400);

/// Prints the completions of a shell; for bash: `source <(smartbox completions bash)`.
///
/// They know the names of the smartboxes of a platform that runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), CliError> {
    let name = args.shell.to_string();
    let mut text = Vec::new();
    let shells = Shells::builtins();
    let written = shells.completer(&name).map(|shell| {
        shell.write_registration(ASKED, "smartbox", "smartbox", "smartbox", &mut text)
    });
    if !matches!(written, Some(Ok(()))) {
        return Err(CliError::usage(format!("{name} cannot be served"), "choose another shell"));
    }
    match out::raw(&text) {
        Err(CliError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Completes with the names of smartboxes.
pub(crate) fn names() -> ArgValueCompleter {
    ArgValueCompleter::new(|begun: &OsStr| {
        let begun = begun.to_str().unwrap_or_default();
        let names = ask().unwrap_or_default();
        // What is offered lands on a command line: names, and nothing that a shell understands.
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        names
            .into_iter()
            .filter(|name| name.starts_with(begun) && plain(name))
            .map(CompletionCandidate::new)
            .collect()
    })
}

/// The names, if a platform says them in time. Silent otherwise: a person is typing.
fn ask() -> Option<Vec<String>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let client = Client::of(&Place::default(), &Env::process()).ok()?;
    let boxes = runtime.block_on(async {
        tokio::time::timeout(PATIENCE, client.all(call::boxes)).await.ok()?.ok()
    })?;
    Some(boxes.into_iter().map(|view| view.name).collect())
}
