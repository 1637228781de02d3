//! What came of a change, in words.

use smartbox_api::config::{Applied, ConfigChange, ConfigChanged};
use smartbox_api::problem::Exit;

use crate::error::CliError;
use crate::ui::out;

/// Characters of a value that are shown.
const LONG: usize = 120;

pub(super) fn changed(name: &str, changed: &ConfigChanged, json: bool) -> Result<(), CliError> {
    if json {
        out::json(changed)?;
    } else {
        in_words(name, changed)?;
    }
    if changed.errors.is_empty() { Ok(()) } else { Err(CliError::Said(Exit::Failure as u8)) }
}

fn in_words(name: &str, changed: &ConfigChanged) -> Result<(), CliError> {
    for line in lines(&changed.changes) {
        out::say(line)?;
    }
    for key in &changed.overridden {
        out::note(format!(
            "note: `{}` is the platform's; what you wrote there is left out",
            out::tame(key)
        ));
    }
    for fault in &changed.errors {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        out::note(out::tame(&format!("error: {}: {}{hint}", fault.path, fault.message)));
    }
    match (changed.applied, changed.revision) {
        (None, _) => out::note("nothing was changed: this was a dry run"),
        (Some(applied), revision) => {
            let revision = revision.map(|n| format!("revision {n}, ")).unwrap_or_default();
            let words = if changed.changes.is_empty() { "nothing differs; " } else { "" };
            out::say(format!("{name}: {words}{revision}{}", in_force(applied)))?;
        }
    }
    Ok(())
}

pub(super) fn in_force(applied: Applied) -> &'static str {
    match applied {
        Applied::Live => "in force",
        Applied::Restarting => "the engine starts again for it",
        Applied::RestartNeeded => "in force after `smartbox config reload`",
        Applied::Soon => "the engine takes it up in a moment",
        Applied::OnWake => "in force when it wakes",
        Applied::AtNextStart => "in force at the next start",
    }
}

/// One line for what is gone, one for what is new.
pub(super) fn lines(changes: &[ConfigChange]) -> Vec<String> {
    let line = |sign: char, change: &ConfigChange, value: &serde_json::Value| {
        let mut text = value.to_string();
        if text.chars().count() > LONG {
            text = text.chars().take(LONG).collect::<String>() + "…";
        }
        out::tame(&format!("{sign} {}: {text}", change.path))
    };
    let both = |change: &ConfigChange| {
        let before = change.before.as_ref().map(|value| line('-', change, value));
        let after = change.after.as_ref().map(|value| line('+', change, value));
        [before, after]
    };
    changes.iter().flat_map(both).flatten().collect()
}
