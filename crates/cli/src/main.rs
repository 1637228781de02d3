//! The `smartbox` command: `up`, and every client command.
//!
//! One verb is one file in `cmd/`. What is absent: what the platform does; `up` calls
//! `smartbox-server`, and every other command asks a platform that runs, by `client/`.

mod args;
mod client;
mod cmd;
mod error;
mod ui;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use clap_complete::CompleteEnv;
use smartbox_runtime::nest;

fn main() -> ExitCode {
    // The helpers that make sandboxes and read homes are this program again. Namespaces are a thread's,
    // so nothing may run before them.
    let first = std::env::args_os().nth(1);
    if first.as_ref().is_some_and(|arg| arg == nest::ARG) {
        smartbox_runtime::nest_main();
    }
    if first.as_ref().is_some_and(|arg| arg == smartbox_snapshot::READER_ARG) {
        smartbox_snapshot::reader_main();
    }
    let ended = match first {
        Some(arg) if arg == cmd::reference::ARG => cmd::reference::run(),
        Some(arg) if arg == cmd::openapi::ARG => cmd::openapi::run(),
        Some(arg) if arg == cmd::admin_api::ARG => cmd::admin_api::run(),
        Some(arg) if arg == cmd::admin_api::COMPATIBILITY => cmd::admin_api::compatibility(),
        Some(arg) if arg == cmd::metrics_page::ARG => cmd::metrics_page::run(),
        Some(arg) if arg == cmd::access_page::ARG => cmd::access_page::run(),
        Some(arg) if arg == cmd::install::ARG => cmd::install::run(std::env::args_os().nth(2)),
        _ => {
            // A shell asks what could come next; that is answered, and nothing is run.
            CompleteEnv::with_factory(args::Cli::command).var(cmd::completions::ASKED).complete();
            cmd::run(&args::Cli::parse())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::out::complain(&error);
            ExitCode::from(error.code())
        }
    }
}
