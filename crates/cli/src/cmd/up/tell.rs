//! What a person sees of `up`: progress on standard error, the link on standard output.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use smartbox_core::sandbox::Capabilities;
use smartbox_server::{Event, Ready};

use crate::ui::{count, out};

/// Tells each event as it comes.
#[derive(Default)]
pub(in crate::cmd) struct Teller {
    bar: Option<ProgressBar>,
    step: &'static str,
    /// When a line was last printed where no bar can be.
    told: Option<Instant>,
}

/// How long a file is silent about a step that goes on.
const SILENCE: Duration = Duration::from_secs(10);

impl Teller {
    pub(in crate::cmd) fn tell(&mut self, event: Event) {
        match event {
            Event::Installing { step, done, total, unit } => {
                self.progress(step, done, total, unit);
            }
            Event::Installed { engine } => {
                self.clear();
                out::note(format!("Installed {engine}."));
            }
            Event::Ready(ready) => {
                self.clear();
                // If nobody reads standard output the platform runs all the same.
                let _ = out::say(text(&ready));
            }
            Event::Draining => {
                self.clear();
                out::note("\nFinishing what has begun; Ctrl-C again ends at once.");
            }
            Event::StoppingBoxes => out::note("Stopping the smartboxes."),
        }
    }

    fn progress(&mut self, step: &'static str, done: u64, total: u64, unit: &str) {
        let changed = self.step != step;
        self.step = step;
        if !io::stderr().is_terminal() {
            // A file needs no bar: a line for each step, and now and then one that it goes on.
            if changed || self.told.is_none_or(|told| told.elapsed() >= SILENCE) {
                self.told = Some(Instant::now());
                let counted = match (changed, total) {
                    (true, _) | (_, 0) => String::new(),
                    _ => format!(", {done} of {total} {unit}"),
                };
                out::note(format!("Installing the engine: {step}{counted}"));
            }
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            out::note("Installing the engine; this is done once.");
            let bar = ProgressBar::new(0);
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let template = match (total, unit) {
            (0, _) => "{spinner} {msg} ({elapsed})",
            (_, "") => "{spinner} {msg} [{bar:30}] {percent} % ({elapsed})",
            _ => "{spinner} {msg} [{bar:30}] {human_pos} of {human_len} {prefix} ({elapsed})",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_length(total);
        bar.set_position(done);
        bar.set_prefix(unit.to_owned());
        bar.set_message(step);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn text(ready: &Ready) -> String {
    let runtime = &ready.runtime;
    let mut lines = vec![
        "Smartbox is running. This link signs you in:".to_owned(),
        String::new(),
        format!("    {}", ready.link.expose()),
        String::new(),
        format!("  engine   {} {}", ready.engine.0, ready.engine.1),
        format!("  sandbox  {}, profile {}", runtime.driver, runtime.profile),
        format!("  data     {}", ready.data_dir.display()),
    ];
    let off: Vec<String> = runtime
        .features
        .iter()
        .filter(|(_, feature)| !feature.on)
        .map(|(name, feature)| format!("{name} ({})", feature.note))
        .collect();
    if runtime.profile == Capabilities::UNISOLATED {
        lines.push(
            "  WARNING  smartboxes are not isolated: what an assistant runs can read and".into(),
        );
        lines.push("           change all that you can, and this is only for trying out".into());
    }
    if !off.is_empty() {
        lines.push(format!("  without  {}", off.join("\n           ")));
    }
    if ready.adopted > 0 {
        let adopted = u64::try_from(ready.adopted).unwrap_or(u64::MAX);
        let what = count::of(adopted, "running smartbox", "running smartboxes");
        lines.push(format!("  adopted  {what}"));
    }
    lines.extend(ready.missing.iter().map(|text| format!("  missing  {text}")));
    lines.extend(ready.advice.iter().map(|text| format!("  advice   {text}")));
    lines.push(String::new());
    // None was made where those of an installation that is lost wait in the storage.
    if ready.pa_url.is_some() {
        lines.push("From another terminal: smartbox chat pa \"Hello\"".into());
    }
    lines.push(
        "Ctrl-C ends the platform; smartboxes go on, and the next `up` takes them over.".into(),
    );
    lines.join("\n")
}
