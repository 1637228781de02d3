//! `init connect <proxy port> <host> <port>`: what ssh, which knows no HTTP proxies, runs to get out of
//! the box (`ProxyCommand`, see ssh_config(5)). A program of the box's user like any other: it has no
//! right that whoever starts it has not, and shares with PID 1 the file alone.

mod ask;
mod pipe;

use std::io::Write;
use std::process::ExitCode;

/// The first argument, by which it is meant.
pub(crate) const WORD: &str = "connect";

/// Connects standard input and output with a host.
pub(crate) fn main(words: &[String]) -> ExitCode {
    let done = match words {
        [proxy, host, port] => ask::ask(proxy, host, port).and_then(pipe::pipe),
        _ => Err("usage: /init connect <proxy port> <host> <port>".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let why: String = why.lines().map(|line| format!("smartbox: {line}\n")).collect();
            // There is nowhere else to say it.
            let _ = std::io::stderr().write_all(why.as_bytes());
            ExitCode::FAILURE
        }
    }
}
