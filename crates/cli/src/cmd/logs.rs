//! `smartbox logs`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::log::{LinesQuery, LogLine, Sources};
use smartbox_core::log::Level;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// How long one waits before a platform that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Prints what the engine wrote and what the platform did; wakes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// Go on as the log grows, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Only the last so many lines; 200 without `--since`
    #[arg(short = 'n', long, value_name = "LINES")]
    tail: Option<usize>,
    /// Only what is not older than this: 10m, 2h, 7d, or a time like 2026-11-27T20:50:46Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Whose lines
    #[arg(long, value_enum, default_value_t)]
    source: From,
    /// One JSON document a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum From {
    /// Those of what runs inside
    Engine,
    /// What the platform did with the smartbox
    Platform,
    /// Both
    #[default]
    All,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    or_interrupt(print(client, args)).await
}

/// Prints, and goes on across a platform that goes away and comes back.
async fn print(client: &Client, args: &Args) -> Result<(), CliError> {
    let source = match args.source {
        From::Engine => Sources::Engine,
        From::Platform => Sources::Platform,
        From::All => Sources::All,
    };
    let (since, tail, follow) = (args.since.clone(), args.tail, args.follow);
    let mut query = LinesQuery { source, since, tail, follow, after: None };
    let mut lost = false;
    loop {
        match stream(client, args, &mut query, &mut lost).await {
            Err(error) if follow && error.is_passing() => {
                if !lost {
                    out::note("the platform is away; waiting for it (Ctrl-C ends)");
                }
                lost = true;
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

async fn stream(
    client: &Client,
    args: &Args,
    query: &mut LinesQuery,
    lost: &mut bool,
) -> Result<(), CliError> {
    let mut lines = client.lines(&call::logs(&args.name, query)).await?;
    *lost = false;
    while let Some(line) = lines.next().await? {
        if args.json {
            out::json_line(&line)?;
        } else {
            out::say(told(&line))?;
        }
        (query.after, query.since, query.tail) = (Some(line.cursor), None, None);
    }
    if query.follow { Err(CliError::Broken("the log's stream ended".into())) } else { Ok(()) }
}

/// A line for people. What a box wrote cannot drive the terminal.
fn told(line: &LogLine) -> String {
    let time = line.time.map_or_else(|| format!("{:24}", "-"), |time| time.to_string());
    let level = line.level.filter(|level| *level != Level::Info);
    let level = level.map(|level| format!("{}: ", level.as_str())).unwrap_or_default();
    let told = format!("{time} {:8} {level}{}", line.source.as_str(), line.text);
    out::tame(&told).replace('\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use smartbox_core::log::Source;
    use smartbox_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_line_says_when_and_who_and_stays_a_line() {
        let line = |time: Option<i64>, source, level, text: &str| {
            let time = time.map(Timestamp);
            told(&LogLine { time, source, level, text: text.into(), cursor: "1.1".into() })
        };
        assert_eq!(
            line(Some(0), Source::Engine, None, "a\u{1b}[2Jb\r"),
            "1970-01-01T00:00:00.000Z engine   a\u{fffd}[2Jb\u{fffd}"
        );
        assert_eq!(
            line(None, Source::Platform, Some(Level::Warn), "exit: x"),
            "-                        platform warn: exit: x"
        );
        let info = line(Some(0), Source::Platform, Some(Level::Info), "start: number 1");
        assert!(info.ends_with("Z platform start: number 1"), "{info}");
    }
}
