//! Where an answer's text goes: standard output, harmless if that is a terminal.

use std::io::{self, IsTerminal};

use crate::error::CliError;
use crate::ui::out;

/// Standard output and whether its last line is open.
#[derive(Debug, Default)]
pub(super) struct Screen {
    open: bool,
}

impl Screen {
    /// Shows text at once.
    pub(super) fn show(&mut self, text: &str) -> Result<(), CliError> {
        if io::stdout().is_terminal() {
            out::raw(out::tame(text).as_bytes())?;
        } else {
            out::raw(text.as_bytes())?;
        }
        self.open = !text.ends_with('\n');
        Ok(())
    }

    /// Ends the last line.
    pub(super) fn end(&mut self) -> Result<(), CliError> {
        if std::mem::take(&mut self.open) { out::raw(b"\n") } else { Ok(()) }
    }
}
