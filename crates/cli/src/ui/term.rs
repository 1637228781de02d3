//! The terminal in raw mode, for as long as a value lives.

use std::io::{self, IsTerminal};

use rustix::termios::{self, OptionalActions, Termios};
use smartbox_api::exec::TtySize;

/// Raw mode of standard input; dropping it brings back what was before.
pub(crate) struct Raw(Termios);

impl Raw {
    /// Every key goes through unread, Ctrl-C too. `None` if standard input is no terminal.
    pub(crate) fn enter() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// The terminal's size; 80 by 24 if it has none.
pub(crate) fn size() -> TtySize {
    let size = termios::tcgetwinsize(io::stdout()).or_else(|_| termios::tcgetwinsize(io::stdin()));
    match size {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            TtySize { cols: size.ws_col, rows: size.ws_row }
        }
        _ => TtySize { cols: 80, rows: 24 },
    }
}

/// Whether a person types at standard input.
pub(crate) fn typed() -> bool {
    io::stdin().is_terminal()
}
