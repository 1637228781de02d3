//! Printing.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::error::CliError;

/// A line of result.
pub(crate) fn say(text: impl Display) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{text}").map_err(CliError::Output)
}

/// Bytes of result, at once.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(CliError::Output)
}

/// A result for programs.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    say(pretty(value)?)
}

/// The same, as text.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string_pretty(value).map_err(|e| CliError::here(e.to_string(), String::new()))
}

/// A result for programs that comes with others, one a line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<(), CliError> {
    say(one_line(value)?)
}

/// The same, as text.
pub(crate) fn one_line(value: &impl Serialize) -> Result<String, CliError> {
    serde_json::to_string(value).map_err(|e| CliError::here(e.to_string(), String::new()))
}

/// A line about the work. If nobody can read it, the work goes on.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Bytes about the work, at once.
pub(crate) fn note_raw(bytes: &[u8]) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(bytes).and_then(|()| err.flush());
}

/// An error and what helps.
pub(crate) fn complain(error: &CliError) {
    if error.is_silent() {
        return;
    }
    let mark = if colours(&io::stderr()) { "\u{1b}[1;31merror:\u{1b}[0m" } else { "error:" };
    note(format!("{mark} {error}"));
    if let CliError::Problem(problem) = error {
        // The first is in the words above.
        for fault in problem.errors.iter().skip(1) {
            let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
            note(tame(&format!("  and: {}: {}{hint}", fault.path, fault.message)));
        }
    }
    for cause in causes(error) {
        note(format!("  because: {cause}"));
    }
    let hint = error.hint();
    if !hint.is_empty() {
        note(format!("hint: {hint}"));
    }
}

/// What lies behind an error, in words that were not said yet.
fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut said = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !said.iter().any(|before| before.contains(&words)) {
            said.push(words);
        }
        cause = inner.source();
    }
    said.split_off(1)
}

/// Whether this stream shows colours.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
    !plain && stream.is_terminal()
}

/// Text from a box made harmless for a terminal: no control characters but tabs and line breaks.
pub(crate) fn tame(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
        .collect()
}

/// The same for what must stay on its line, like a name.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Said {
        words: &'static str,
        #[source]
        source: Option<Box<Said>>,
    }

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let chain = |words: &[&'static str]| {
            let link = |source, words: &&'static str| Some(Box::new(Said { words, source }));
            causes(&*words.iter().rev().fold(None, link).unwrap())
        };
        assert_eq!(chain(&["it failed", "the disk is full"]), ["the disk is full"]);
        assert_eq!(chain(&["it failed: no npm", "no npm"]), [""; 0]);
        assert_eq!(chain(&["it failed: no npm", "no npm", "not found"]), ["not found"]);
        assert_eq!(chain(&["it failed", "no", "no"]), ["no"]);
    }

    #[test]
    fn what_a_box_says_cannot_drive_the_terminal() {
        assert_eq!(tame("a\u{1b}]0;evil\u{7}b\tc\nd"), "a\u{fffd}]0;evil\u{fffd}b\tc\nd");
        assert_eq!(tame("ä🦀\u{9b}2J"), "ä🦀\u{fffd}2J");
        assert_eq!(line("a\nb\t\u{1b}[31m"), "a\u{fffd}b\u{fffd}\u{fffd}[31m");
    }
}
