//! `smartbox doctor`: looks at this machine and at the platform, changes nothing, wakes nobody.

mod check;
mod disk;
mod exposure;
mod isolation;
mod memory;
mod platform;
mod programs;
mod settings;
mod sign_in;
mod snapshots;

use std::io;

use check::{Check, Level};
use smartbox_server::config::Env;

use crate::client::Place;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Looks for what is wrong or missing, on this machine and in the platform, and says what helps.
///
/// Works without a running platform. Ends with code 1 if something does not work.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print an array of checks as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let checks = or_interrupt(look(place, env)).await?;
    if args.json {
        out::json(&checks)?;
    } else {
        print(&checks)?;
    }
    let failed = checks.iter().any(|check| check.level == Level::Fail);
    if failed { Err(CliError::Said(smartbox_api::problem::Exit::Failure.code())) } else { Ok(()) }
}

async fn look(place: &Place, env: &Env) -> Result<Vec<Check>, CliError> {
    let dir = place.data_dir(env)?;
    let remote = platform::is_elsewhere(place, env);
    let (config, settings) = settings::checks(&dir, place, env);
    let own = config.as_ref().and_then(|config| config.engine.path.as_deref());
    let mut checks = Vec::new();
    if !remote {
        checks.extend(isolation::checks().await);
        checks.extend(memory::checks());
        checks.extend(programs::checks(&dir, own));
        checks.extend(disk::checks(&dir));
        if let Some(config) = &config {
            let kept = platform::keeps_storage(place, env).await;
            checks.push(snapshots::check(config, kept).await);
            checks.extend(exposure::checks(config));
            checks.extend(sign_in::checks(&config.sign_in).await);
        }
    }
    checks.extend(settings);
    checks.extend(platform::checks(place, env, config.as_ref()).await);
    Ok(checks)
}

fn print(checks: &[Check]) -> Result<(), CliError> {
    let colour = out::colours(&io::stdout());
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in checks {
        let (word, code) = match check.level {
            Level::Ok => ("ok  ", 32),
            Level::Warn => ("warn", 33),
            Level::Fail => ("FAIL", 31),
        };
        let word = if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() };
        out::say(format!("{word}  {:width$}  {}", check.name, out::tame(&check.what)))?;
        if !check.hint.is_empty() {
            out::say(format!("      {:width$}  -> {}", "", out::tame(&check.hint)))?;
        }
    }
    let count = |level| checks.iter().filter(|check| check.level == level).count();
    out::say(match (count(Level::Fail), count(Level::Warn)) {
        (0, 0) => "Everything is as it should be.".to_owned(),
        (0, n) => format!("Nothing is broken; {n} could be better."),
        (n, _) => format!("{n} of {} checks failed.", checks.len()),
    })
}
