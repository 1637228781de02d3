//! `smartbox exec`.

mod detach;
mod input;
mod run;

use std::collections::BTreeMap;
use std::time::Duration;

use smartbox_api::exec::ExecOrder;
use smartbox_api::problem::Exit;

pub(super) use run::code;

use super::act::time;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::{out, term};

/// Runs a command in a smartbox and ends with its exit code.
///
/// Nothing is read as a shell line: for one, run `-- sh -c '…'`. Standard input goes along if it is
/// piped, or asked for by `-i`. Ctrl-C kills the command with everything that it started. For a shell:
/// `smartbox exec -it BOX -- bash`; there Ctrl-C is a key like any other.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Pass standard input along, even if it is typed
    #[arg(short, long)]
    interactive: bool,
    /// Give the command a terminal
    #[arg(short, long)]
    tty: bool,
    /// Let it go on without you, and print its id; for `smartbox execs`
    #[arg(short, long, conflicts_with = "tty")]
    detach: bool,
    /// With --detach: print the command as JSON
    #[arg(long, requires = "detach")]
    json: bool,
    /// Kill it after so long, like 30s or 5m; the exit code is 124 then. With --detach a day if absent
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<Duration>,
    /// The directory to run it in; the home if absent
    #[arg(short = 'w', long, visible_alias = "cwd", value_name = "DIR")]
    workdir: Option<String>,
    /// A variable for its environment
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    argv: Vec<String>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is empty".into());
    }
    Ok((name.to_owned(), value.to_owned()))
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if args.tty && !term::typed() {
        return Err(CliError::Here {
            what: "-t needs a terminal, and standard input is none".into(),
            hint: "leave -t out".into(),
            exit: Exit::ExecFailed,
        });
    }
    if args.detach {
        return detach::run(client, args).await;
    }
    match run::run(client, args).await {
        Ok(0) => Ok(()),
        Ok(code) => Err(CliError::Said(code)),
        Err(error @ (CliError::Interrupted(_) | CliError::Output(_))) => Err(error),
        // Whatever is not the command's own: one code, so that scripts can tell the two apart.
        Err(error) => {
            out::complain(&error);
            Err(CliError::Said(Exit::ExecFailed.code()))
        }
    }
}

fn order(args: &Args) -> ExecOrder {
    let mut env: BTreeMap<String, String> = args.env.iter().cloned().collect();
    if args.tty {
        let term = std::env::var("TERM").unwrap_or_else(|_| "xterm".into());
        env.entry("TERM".into()).or_insert(term);
    }
    ExecOrder {
        argv: args.argv.clone(),
        env,
        cwd: args.workdir.clone(),
        timeout_ms: args.timeout.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX)),
        tty: args.tty.then(term::size),
    }
}
