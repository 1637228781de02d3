//! What the commands that change a box's state share: asking, waiting, telling.

use std::time::Duration;

use smartbox_api::call::{self, Verb};
use smartbox_api::smartbox::{Act, MAX_WAIT_MS, SmartboxView, State};
use smartbox_core::issue::Kind;
use smartbox_core::time::parse_duration;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, phase};

/// Which box, and how long to wait for it.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) wait: Wait,
    /// Print the smartbox as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How long to wait.
#[derive(Debug, clap::Args)]
pub(crate) struct Wait {
    /// Only record the wish; do not wait until it is true
    #[arg(long)]
    no_wait: bool,
    /// How long to wait at the most, like 90s or 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time)]
    timeout: Duration,
}

/// Reads a length of time for clap.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|e| e.to_string())
}

impl Wait {
    /// The time as the API takes it.
    pub(crate) fn millis(&self) -> u64 {
        let wished = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        if self.no_wait { 0 } else { wished.clamp(1, MAX_WAIT_MS) }
    }
}

/// Does it and prints where the box is then.
pub(crate) async fn act(
    client: &Client,
    target: &Target,
    verb: Verb,
    deep: bool,
) -> Result<(), CliError> {
    let how = Act { wait_ms: target.wait.millis(), deep, ..Act::default() };
    let held = Duration::from_millis(how.wait_ms);
    let work = client.json_within(call::act(&target.name, verb, how), held);
    let view = or_interrupt(phase::while_waiting(client, &target.name, work)).await?;
    tell(&view, target.json)?;
    if how.wait_ms > 0 && view.state == State::Running {
        refused_config(&view);
    }
    Ok(())
}

/// Says that it runs with another configuration than its owner's: the start looks as if all were well.
fn refused_config(view: &SmartboxView) {
    for issue in view.issues.iter().flatten().filter(|issue| issue.kind == Kind::ConfigRefused) {
        out::note(out::tame(&issue.message));
        out::note(out::tame(&format!("hint: {}", issue.hint)));
    }
}

/// Prints a box in one line, or as JSON.
pub(crate) fn tell(view: &SmartboxView, json: bool) -> Result<(), CliError> {
    if json { out::json(view) } else { out::say(format!("{}: {}", view.name, phase::words(view))) }
}
