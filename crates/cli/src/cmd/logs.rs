//! `smartbox logs`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::log::{LogQuery, MAX_TAIL};

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints the engine's log; wakes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Go on as the log grows, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only the last so many lines
    #[arg(long, value_name = "LINES", default_value_t = 200)]
    tail: usize,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    or_interrupt(print(client, args)).await
}

async fn print(client: &Client, args: &Args) -> Result<(), CliError> {
    let query = LogQuery { tail: Some(MAX_TAIL), ..LogQuery::default() };
    let mut reply = client.text(&call::log(&args.name, query)).await?;
    let mut bytes = Vec::new();
    while let Some(part) = reply.next_part().await? {
        bytes.extend_from_slice(&part);
        // A platform that sends more than it was asked for does not fill our memory.
        let over = bytes.len().saturating_sub(usize::try_from(MAX_TAIL).unwrap_or(usize::MAX));
        bytes.drain(..over);
    }
    out::raw(last_lines(&bytes, args.tail))?;
    match (args.follow, reply.next) {
        (true, next) => follow(client, &args.name, next).await,
        (false, _) => Ok(()),
    }
}

/// Follows from an offset, across a platform that goes away and comes back.
async fn follow(client: &Client, name: &str, mut next: Option<u64>) -> Result<(), CliError> {
    let mut lost = false;
    loop {
        let tail = if next.is_none() { Some(0) } else { None };
        let query = LogQuery { from: next, tail, follow: true };
        match stream(client, name, query, &mut next, &mut lost).await {
            Err(error) if error.is_passing() => {
                if !lost {
                    out::note("the platform is away; waiting for it (Ctrl-C ends)");
                }
                lost = true;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            other => return other,
        }
    }
}

async fn stream(
    client: &Client,
    name: &str,
    query: LogQuery,
    next: &mut Option<u64>,
    lost: &mut bool,
) -> Result<(), CliError> {
    let mut reply = client.text(&call::log(name, query)).await?;
    *lost = false;
    while let Some(part) = reply.next_part().await? {
        out::raw(&part)?;
        *next = next.map(|at| at + part.len() as u64);
    }
    Err(CliError::Broken("the log's stream ended".into()))
}

fn last_lines(bytes: &[u8], lines: usize) -> &[u8] {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let mut breaks = body.iter().enumerate().rev().filter(|(_, b)| **b == b'\n');
    match lines.checked_sub(1).map(|n| breaks.nth(n)) {
        None => &[],
        Some(None) => bytes,
        Some(Some((at, _))) => &bytes[at + 1..],
    }
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_last_lines_are_whole() {
        let log = b"one\ntwo\nthree\n";
        assert_eq!(last_lines(log, 2), b"two\nthree\n");
        assert_eq!(last_lines(log, 3), log);
        assert_eq!(last_lines(log, 9), log);
        assert_eq!(last_lines(log, 0), b"");
        assert_eq!(last_lines(b"one\ntwo", 1), b"two");
        assert_eq!(last_lines(b"", 5), b"");
    }
}
