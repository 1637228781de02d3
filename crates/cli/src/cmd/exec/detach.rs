//! A command that goes on without us: its id is all that comes back.

use std::io::{self, Read};
use std::time::Duration;

use smartbox_api::call;
use smartbox_api::execs::{MAX_STDIN, NewExec};

use super::Args;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// What a command is given that nobody waits for, if nobody says.
const LONG: Duration = Duration::from_hours(24);

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let stdin = if args.interactive { Some(input()?) } else { None };
    let timeout = args.timeout.unwrap_or(LONG);
    let new = NewExec {
        argv: args.argv.clone(),
        env: args.env.iter().cloned().collect(),
        cwd: args.workdir.clone(),
        stdin,
        timeout_ms: u64::try_from(timeout.as_millis()).ok(),
        wait_ms: None,
    };
    let view = or_interrupt(client.json(call::new_exec(&args.name, &new))).await?;
    if args.json {
        return out::json(&view);
    }
    out::say(&view.id)?;
    out::note(format!("`smartbox execs show --wait {} {}` has its end", args.name, view.id));
    Ok(())
}

/// Standard input, whole.
fn input() -> Result<String, CliError> {
    let most = u64::try_from(MAX_STDIN).unwrap_or(u64::MAX);
    let mut text = Vec::new();
    let read = io::stdin().lock().take(most + 1).read_to_end(&mut text);
    read.map_err(|e| CliError::here(format!("standard input cannot be read: {e}"), ""))?;
    if text.len() > MAX_STDIN {
        let what = format!("standard input is longer than {MAX_STDIN} bytes");
        return Err(CliError::usage(what, "leave --detach out, or put it into a file of the box"));
    }
    String::from_utf8(text).map_err(|_| {
        let hint = "leave --detach out: then every byte goes through as it is";
        CliError::usage("standard input is no UTF-8 text", hint)
    })
}
