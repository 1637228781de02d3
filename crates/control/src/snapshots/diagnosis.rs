//! What an engine's doctor came to, in words: how it ended, and the last of what it said.

use std::collections::VecDeque;

use crate::exec::{Captured, End};

/// Lines of it that are kept, and characters of each.
const LINES: usize = 5;
const WIDTH: usize = 300;

/// Nothing if it found the engine well, else why not.
pub(super) fn diagnosis(run: &Captured) -> Result<(), String> {
    let ended = match &run.end {
        End::Exit(exit) if exit.timed_out => "did not come to an end in time".to_owned(),
        End::Exit(exit) => match (exit.code, exit.signal) {
            (Some(0), _) => return Ok(()),
            (Some(code), _) => format!("ended with {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended nobody knows how".to_owned(),
        },
        End::Failed(why) => format!("could not be run: {why}"),
    };
    let said = last_lines(run);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    Err(format!("the engine's doctor {ended}{said}"))
}

/// The box writes them: they are bounded, and hold nothing that a terminal would act on.
fn last_lines(run: &Captured) -> String {
    let mut last = VecDeque::new();
    for stream in [&run.stdout.bytes, &run.stderr.bytes] {
        for line in String::from_utf8_lossy(stream).lines() {
            let plain: String = line.chars().filter(|c| !c.is_control()).take(WIDTH).collect();
            if !plain.trim().is_empty() {
                last.push_back(plain.trim().to_owned());
            }
            if last.len() > LINES {
                last.pop_front();
            }
        }
    }
    last.into_iter().collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use smartbox_link::wire::Exit;

    use super::*;
    use crate::exec::Kept;

    fn run(end: End, stdout: &str, stderr: &str) -> Captured {
        let kept = |text: &str| Kept { bytes: text.into(), truncated: false };
        Captured { end, stdout: kept(stdout), stderr: kept(stderr), took: Duration::ZERO }
    }

    fn exit(code: i32) -> End {
        End::Exit(Exit { code: Some(code), ..Exit::default() })
    }

    #[test]
    fn it_is_well_if_it_ended_with_nought() {
        assert_eq!(diagnosis(&run(exit(0), "a warning", "")), Ok(()));
    }

    #[test]
    fn else_there_is_how_it_ended_and_the_last_that_it_said() {
        let said = diagnosis(&run(exit(1), "a\nb\nc\nd\n\n", "e\nf\n")).unwrap_err();
        assert_eq!(said, "the engine's doctor ended with 1: b / c / d / e / f");
        let late = End::Exit(Exit { signal: Some(9), timed_out: true, ..Exit::default() });
        let said = diagnosis(&run(late, "", "")).unwrap_err();
        assert_eq!(said, "the engine's doctor did not come to an end in time");
        let said = diagnosis(&run(End::Failed("no such program".into()), "", "")).unwrap_err();
        assert_eq!(said, "the engine's doctor could not be run: no such program");
    }

    #[test]
    fn a_hostile_box_writes_neither_much_nor_to_a_terminal() {
        let flood = format!("\u{1b}[2J{}\n", "x".repeat(1 << 20)).repeat(8);
        let said = diagnosis(&run(exit(1), &flood, "\u{7}")).unwrap_err();
        assert!(said.len() < 2_000 && !said.chars().any(char::is_control), "{}", said.len());
    }
}
