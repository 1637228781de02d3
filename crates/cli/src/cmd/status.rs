//! `smartbox status`.

use serde::Serialize;
use smartbox_api::call;
use smartbox_api::platform::PlatformStatus;
use smartbox_api::smartbox::{Desired, SandboxView, SmartboxView, Total};
use smartbox_core::sandbox::EngineProcess;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use super::labels;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::table::facts;
use crate::ui::watch::watch;
use crate::ui::{age, count, out, phase, size};

/// Shows the platform, or one smartbox; wakes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox; the platform if none is given
    #[arg(value_name = "BOX", add = names())]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Go on until Ctrl-C; with --json a line for each change
    #[arg(long, short)]
    watch: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if args.watch {
        return watch(async || look(client, args).await).await;
    }
    out::say(or_interrupt(look(client, args)).await?)
}

impl Args {
    fn json(&self, value: &impl Serialize) -> Result<String, CliError> {
        if self.watch { out::one_line(value) } else { out::pretty(value) }
    }
}

/// As text; for programs on one line if more are to follow.
async fn look(client: &Client, args: &Args) -> Result<String, CliError> {
    match &args.name {
        Some(name) => {
            let view = client.json(call::smartbox(name)).await?;
            if args.json { args.json(&view) } else { Ok(smartbox(&view, SystemClock.now())) }
        }
        None => {
            let status = client.json(call::status()).await?;
            if args.json { args.json(&status) } else { Ok(platform(&status, SystemClock.now())) }
        }
    }
}

fn platform(status: &PlatformStatus, now: Timestamp) -> String {
    let boxes = &status.boxes;
    let counts = [
        ("running", boxes.running),
        ("starting", boxes.starting),
        ("frozen", boxes.frozen),
        ("stopped", boxes.stopped),
        ("failed", boxes.failed),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
    let off: Vec<String> = status
        .runtime
        .features
        .iter()
        .filter(|(_, feature)| !feature.on)
        .map(|(name, feature)| format!("{name} ({})", feature.note))
        .collect();
    let since = age::ago(now, status.started);
    let mut lines = vec![
        ("platform", format!("{}, process {}, up for {since}", status.version, status.pid)),
        ("address", status.url.clone()),
        ("data", status.data_dir.clone()),
        ("account", status.account.clone()),
        ("sandbox", format!("{}, profile {}", status.runtime.driver, status.runtime.profile)),
        ("engine", format!("{} {}", status.engine.name, status.engine.version)),
        ("models", status.models.join(", ")),
        ("sleeps", sleeps(&status.sleep_after)),
        ("boxes", if counts.is_empty() { "none".into() } else { counts.join(", ") }),
    ];
    if !off.is_empty() {
        lines.push(("without", off.join("; ")));
    }
    lines.extend(status.missing.iter().map(|text| ("missing", text.clone())));
    facts(&lines)
}

fn sleeps(after: &str) -> String {
    match after {
        "never" => "never (set SANDBOX_SLEEP_AFTER=10m to let idle boxes sleep)".into(),
        time => format!("after {time} without work"),
    }
}

fn smartbox(view: &SmartboxView, now: Timestamp) -> String {
    let mut lines = vec![
        ("name", view.name.clone()),
        ("kind", view.kind.to_string()),
        ("state", phase::words(view)),
        ("desired", view.desired.to_string()),
        ("address", view.url.clone()),
        ("tier", tier(view)),
        ("engine", format!("{} {}", view.engine, view.engine_version)),
        ("starts", view.starts.to_string()),
        ("active", age::when(now, view.last_active)),
        ("made", age::when(now, view.created)),
        ("id", view.id.to_string()),
    ];
    if !view.display_name.is_empty() {
        lines.insert(1, ("called", view.display_name.clone()));
    }
    if !view.labels.is_empty() {
        lines.push(("labels", labels::words(&view.labels)));
    }
    if view.desired == Desired::Auto {
        lines.push(("sleeps", own_sleep(view)));
    }
    if view.asleep {
        lines.push(("asleep", "yes; a message or a visit wakes it".into()));
    }
    if let Some(notice) = &view.notice {
        lines.push(("notice", notice.clone()));
    }
    if let Some(waiting) = view.waiting.filter(|n| *n > 0) {
        lines.push((
            "waiting",
            count::of(waiting, "message without an answer", "messages without an answer"),
        ));
    }
    if view.busy == Some(true) {
        lines.push(("busy", "yes".into()));
    }
    if let Some(usage) = &view.usage {
        let Total { calls, input, output } = usage;
        let calls = count::of(*calls, "call", "calls");
        let words = format!("{calls}: {input} tokens read, {output} written");
        lines.push(("models", words));
    }
    if let Some(alarm) = view.alarm {
        lines.push(("alarm", age::when(now, alarm)));
    }
    if let Some(failure) = &view.failure {
        lines.push(("reason", failure.reason.to_string()));
        lines.push(("hint", failure.hint.clone()));
    }
    health(view, now, &mut lines);
    if let Some(sandbox) = &view.sandbox {
        lines.push(("process", process(sandbox)));
        let memory = sandbox.memory;
        if memory.resident + memory.swapped > 0 {
            let (ram, swap) = (size::bytes(memory.resident), size::bytes(memory.swapped));
            lines.push(("memory", format!("{ram} in RAM, {swap} in swap")));
        }
    }
    facts(&lines)
}

/// The tier that is meant, and the one that the sandbox still has.
fn tier(view: &SmartboxView) -> String {
    match view.running_tier.as_ref().filter(|tier| **tier != view.tier) {
        Some(running) => format!("{} from its next start, {running} until then", view.tier),
        None => view.tier.clone(),
    }
}

fn own_sleep(view: &SmartboxView) -> String {
    let time = |ms: u64| age::span(ms / 1000);
    let sleep = view.sleep;
    let whose = if sleep.own { "its own times" } else { "the platform's times" };
    let (freeze, stop) = (time(sleep.freeze_after_ms), time(sleep.stop_after_ms));
    format!("after {freeze} idle, deeply after {stop} ({whose})")
}

/// How it has been doing.
fn health(view: &SmartboxView, now: Timestamp, lines: &mut Vec<(&str, String)>) {
    let vitals = &view.vitals;
    if let Some(since) = vitals.since {
        lines.push(("since", age::when(now, since)));
    }
    if let Some(started) = vitals.started {
        let took = vitals.start_ms.map_or_else(
            || "not ready since".to_owned(),
            |ms| format!("ready after {}.{} s", ms / 1000, ms % 1000 / 100),
        );
        lines.push(("started", format!("{}, {took}", age::when(now, started))));
    }
    if let Some(exit) = vitals.exit {
        let how = match (exit.code, exit.signal) {
            (_, Some(signal)) => format!(", signal {signal}"),
            (Some(code), None) => format!(", code {code}"),
            (None, None) => String::new(),
        };
        lines.push((
            "ended",
            format!("by itself {}: {}{how}", age::when(now, exit.at), exit.reason),
        ));
    }
    let breaker = &vitals.breaker;
    if let Some(open) = &breaker.open {
        let words = format!("open for {}: `smartbox reset {}`", age::ago(now, open.at), view.name);
        lines.push(("breaker", words));
    } else if !breaker.strikes.is_empty() {
        let strikes = u64::try_from(breaker.strikes.len()).unwrap_or(u64::MAX);
        let words = count::of(strikes, "failure", "failures");
        lines.push(("breaker", format!("closed, {words} lately")));
    }
    // What `state` and `notice` say above is not said again.
    let failure = view.failure.as_ref().map(|failure| failure.message.as_str());
    let said = [view.notice.as_deref(), failure];
    let told = |text: &str| said.iter().flatten().any(|said| text.ends_with(said));
    let issues = view.issues.iter().flatten().map(|issue| issue.message.as_str());
    let issues: Vec<&str> = issues.filter(|text| !told(text)).collect();
    if !issues.is_empty() {
        lines.push(("issues", issues.join(" ")));
    }
    if let Some(home) = view.home {
        let limit = match home.limit {
            0 => String::new(),
            limit => format!(" of {}", size::bytes(limit)),
        };
        lines.push(("home", format!("{}{limit}", size::bytes(home.used))));
    }
}

fn process(sandbox: &SandboxView) -> String {
    match &sandbox.engine {
        EngineProcess::Unknown => "not seen".into(),
        EngineProcess::Idle => "not started".into(),
        EngineProcess::Running { starts, .. } => format!("runs, started {}", count::times(*starts)),
        EngineProcess::Backoff { starts, .. } => {
            format!("crashed, started {}", count::times(*starts))
        }
        EngineProcess::Ended { last } => match (last.code, last.signal) {
            (Some(code), _) => format!("ended with code {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => "ended".into(),
        },
    }
}
