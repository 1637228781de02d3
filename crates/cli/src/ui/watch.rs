//! Looking again and again: in place on a terminal, and otherwise whenever something changed.

use std::io::{self, IsTerminal};
use std::time::Duration;

use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, term};

/// Between two looks. Looking wakes nobody.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows what `look` brings until a person ends it. The first look must succeed; a platform that is
/// away later may come back.
pub(crate) async fn watch(
    look: impl AsyncFn() -> Result<String, CliError>,
) -> Result<(), CliError> {
    let mut screen = Screen::new(io::stdout().is_terminal());
    or_interrupt(async {
        screen.show(&look().await?)?;
        loop {
            tokio::time::sleep(PAUSE).await;
            match look().await {
                Ok(text) => screen.show(&text)?,
                Err(error) if error.is_passing() => screen.away(&error)?,
                Err(error) => return Err(error),
            }
        }
    })
    .await
}

/// What stands on the screen.
struct Screen {
    terminal: bool,
    last: String,
    lines: usize,
}

impl Screen {
    fn new(terminal: bool) -> Self {
        Self { terminal, last: String::new(), lines: 0 }
    }

    fn show(&mut self, text: &str) -> Result<(), CliError> {
        if text == self.last {
            return Ok(());
        }
        text.clone_into(&mut self.last);
        if !self.terminal {
            return out::say(text);
        }
        let size = term::size();
        let (painted, lines) = paint(text, self.lines, size.cols.into(), size.rows.into());
        self.lines = lines;
        out::raw(painted.as_bytes())
    }

    fn away(&mut self, error: &CliError) -> Result<(), CliError> {
        if self.terminal { self.show(&format!("{error}; waiting for it")) } else { Ok(()) }
    }
}

/// The text over what stood there before, cut to the screen: a line that wraps would be two.
fn paint(text: &str, before: usize, cols: usize, rows: usize) -> (String, usize) {
    let lines: Vec<String> = text
        .lines()
        .take(rows.saturating_sub(1).max(1))
        .map(|line| line.chars().take(cols).collect())
        .collect();
    // Up to where it began, and nothing below.
    let back = if before == 0 { String::new() } else { format!("\u{1b}[{before}A\r\u{1b}[J") };
    (format!("{back}{}\n", lines.join("\n")), lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_look_stands_where_the_last_one_stood() {
        let (first, lines) = paint("NAME\npa", 0, 80, 24);
        assert_eq!((first.as_str(), lines), ("NAME\npa\n", 2));
        let (second, lines) = paint("NAME\npa\nwork", lines, 80, 24);
        assert_eq!((second.as_str(), lines), ("\u{1b}[2A\r\u{1b}[JNAME\npa\nwork\n", 3));
    }

    #[test]
    fn what_does_not_fit_is_cut_so_that_the_cursor_finds_back() {
        let (text, lines) = paint("long line\nb\nc\nd", 0, 4, 3);
        assert_eq!((text.as_str(), lines), ("long\nb\n", 2));
    }
}
