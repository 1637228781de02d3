//! Questions to a person: yes or no, and values that must not be seen.

use std::io::{self, IsTerminal, Read, Write};

use smartbox_core::secret::Secret;

use crate::error::CliError;

/// Asks on the terminal; anything but `y` or `yes` is no. Where nobody can answer, `otherwise`
/// names the option that answers in advance.
pub(crate) fn sure(question: &str, otherwise: &str) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::usage(
            "this asks first, and nobody is there to answer",
            format!("add {otherwise}"),
        ));
    }
    let mut err = io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    drop(err);
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|e| CliError::here(format!("no answer could be read: {e}"), String::new()))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// A secret value: typed unseen on a terminal, or all of standard input without its last line break.
pub(crate) fn secret(prompt: &str, max: usize) -> Result<Secret<String>, CliError> {
    let unreadable = |e: io::Error| {
        let hint = "pipe it in as text: `smartbox secret set NAME < file`";
        CliError::here(format!("no value could be read: {e}"), hint)
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map(Secret::new).map_err(unreadable);
    }
    let mut text = String::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(2);
    io::stdin().lock().take(limit).read_to_string(&mut text).map_err(unreadable)?;
    let text = Secret::new(text);
    let value = text.expose().strip_suffix('\n').unwrap_or(text.expose());
    Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value).to_owned()))
}
