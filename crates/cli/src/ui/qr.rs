//! An address as a code that a phone's camera reads, drawn with half blocks.

use std::io::{self, IsTerminal};

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::{out, term};

/// Black on white, whatever the terminal's own colours are: the two that themes leave alone.
const PAPER: &str = "\u{1b}[38;5;16;48;5;231m";
const BACK: &str = "\u{1b}[0m";

/// Shows an address as a code beside the work, where a terminal has the room; says what is in the way
/// otherwise. A file or a pipe gets neither.
pub(crate) fn show(address: &str) {
    if !io::stderr().is_terminal() {
        return;
    }
    match drawn(address, out::colours(&io::stderr())) {
        None => out::note("the address is too long for a QR code"),
        Some((width, _)) if width > usize::from(term::size().cols) => {
            out::note(format!("the QR code needs {width} columns: make the terminal wider"));
        }
        Some((_, code)) => out::note(code),
    }
}

/// The code, and how many columns it takes. Without colours it is drawn for a dark terminal.
fn drawn(text: &str, colours: bool) -> Option<(usize, String)> {
    // Little redundancy: screens have no stains, and a small code is read from farther away.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let mut renderer = code.render::<Dense1x2>();
    if !colours {
        renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let drawn = renderer.build();
    let width = drawn.lines().map(|line| line.chars().count()).max()?;
    if !colours {
        return Some((width, drawn));
    }
    let lines: Vec<_> = drawn.lines().map(|line| format!("{PAPER}{line}{BACK}")).collect();
    Some((width, lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use qrcode::Color;

    use super::*;

    const ADDRESS: &str = "https://sb.example.com/device?code=BCDF-GHJK";

    /// Which modules are inked.
    fn ink(drawn: &str) -> Vec<Vec<bool>> {
        let rows = drawn.lines().flat_map(|line| {
            let line = line.trim_start_matches(PAPER).trim_end_matches(BACK);
            let upper = line.chars().map(|c| matches!(c, '▀' | '█')).collect();
            [upper, line.chars().map(|c| matches!(c, '▄' | '█')).collect::<Vec<bool>>()]
        });
        rows.collect()
    }

    #[test]
    fn what_is_drawn_is_the_code_with_its_margin() {
        let code = QrCode::with_error_correction_level(ADDRESS, EcLevel::L).unwrap();
        let (side, modules) = (code.width(), code.to_colors());
        for colours in [true, false] {
            let (width, drawn) = drawn(ADDRESS, colours).unwrap();
            assert_eq!(width, side + 8, "four modules on each side");
            let ink = ink(&drawn);
            for (y, row) in ink.iter().take(side + 8).enumerate() {
                assert_eq!(row.len(), width);
                for (x, inked) in row.iter().enumerate() {
                    let within = (4..side + 4).contains(&x) && (4..side + 4).contains(&y);
                    let dark = within && modules[(y - 4) * side + (x - 4)] == Color::Dark;
                    // On a dark terminal ink is light.
                    assert_eq!(*inked, dark == colours, "{x} {y} {colours}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_into_a_code_is_none() {
        assert!(drawn(&"x".repeat(3000), true).is_none());
    }
}
