//! Showing what a box does while a command waits for it.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use smartbox_api::call;
use smartbox_api::smartbox::{SmartboxView, State};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::out;
use crate::client::Client;
use crate::error::CliError;

/// How often the box is looked at. Looking wakes nothing.
const EVERY: Duration = Duration::from_millis(300);

/// Does `work` and says on standard error what the box does meanwhile.
pub(crate) async fn while_waiting<T>(
    client: &Client,
    name: &str,
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let mut teller = Teller::new(name);
    tokio::select! {
        done = work => done,
        never = watch(client, name, &mut teller) => match never {},
    }
}

async fn watch(client: &Client, name: &str, teller: &mut Teller) -> std::convert::Infallible {
    // What is over sooner needs no telling.
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The work itself says what went wrong.
        if let Ok(view) = client.json(call::smartbox(name)).await {
            teller.tell(&words(&view));
        }
    }
}

/// What a box does, in a few words.
pub(crate) fn words(view: &SmartboxView) -> String {
    match (&view.failure, view.state) {
        (Some(failure), State::Failed) => format!("failed: {}", failure.message),
        (_, state) if view.phase.is_empty() => state.to_string(),
        (_, State::Running) => format!("running, {}", view.phase),
        (_, state) => format!("{state}: {}", view.phase),
    }
}

/// Tells each new thing once: on a line of its own, or in one line that moves on a terminal.
pub(crate) struct Teller {
    name: String,
    last: String,
    bar: Option<ProgressBar>,
}

impl Teller {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), last: String::new(), bar: None }
    }

    pub(crate) fn tell(&mut self, what: &str) {
        if self.last == what {
            return;
        }
        what.clone_into(&mut self.last);
        let line = out::tame(&format!("{}: {what}", self.name));
        if io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new_spinner();
                let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            });
            bar.set_message(line);
        } else {
            out::note(line);
        }
    }

    /// Takes the moving line away; what comes next begins a line of its own.
    pub(crate) fn hush(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.hush();
    }
}
