//! What an engine says when it refuses to start, for the owner.

use smartbox_core::smartbox::Reason;

/// At most so many lines are passed on.
const MAX_LINES: usize = 8;

/// What the engine says of a home that a later one has written.
const NEWER: &str = "are newer than this build";

/// Finds the newest complaint in an engine's log: about its configuration the lines that name the keys,
/// without times, or that the home was written by a newer engine. `None` if there is none. The log is
/// hostile input: the result is at most 8 lines of 300 characters, without control characters.
pub fn complaint(log: &[u8]) -> Option<(Reason, String)> {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    let config =
        |line: &str| line.contains("Invalid config at") || line.contains("Gateway start blocked:");
    let start = lines.iter().rposition(|line| config(line) || line.contains(NEWER))?;
    if !config(lines[start]) {
        let said =
            lines[start].find("Gateway refused").map_or(lines[start], |at| &lines[start][at..]);
        return Some((Reason::EngineTooOld, plain(said)));
    }
    Some((Reason::BadConfig, refusal(&lines, start)?))
}

/// Of a configuration, from the line at which it begins.
fn refusal(lines: &[&str], start: usize) -> Option<String> {
    let named: Vec<String> = lines[start + 1..]
        .iter()
        .take_while(|line| !line.contains("openclaw doctor"))
        .filter(|line| !line.trim().is_empty())
        .take(MAX_LINES)
        .map(|line| plain(line))
        .collect();
    if lines[start].contains("Invalid config at") && !named.is_empty() {
        return Some(named.join("\n"));
    }
    let whole = lines[start];
    let from = whole.find("Invalid config at").or_else(|| whole.find("Gateway start blocked:"))?;
    Some(plain(&whole[from..]))
}

fn plain(line: &str) -> String {
    line.trim().chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_named() {
        let log = b"boot\n2026-11-23T17:00:00Z Gateway failed to start: Invalid config at \
            /home/box/.openclaw/openclaw.json:\nopenclaw.json:1 \xE2\x80\x94 gateway.port: \
            Invalid input: expected number, received string\n<root>: Unrecognized key: \"fooBar\"\n\
            Run \"openclaw doctor --fix\" to repair, then retry.\nmore\n";
        let (reason, told) = complaint(log).unwrap();
        assert_eq!(reason, Reason::BadConfig);
        assert!(told.contains("gateway.port") && told.contains("fooBar"), "{told}");
        assert!(!told.contains("doctor") && !told.contains("boot"));
    }

    #[test]
    fn a_file_that_is_no_configuration_is_told_too() {
        let log = b"x Gateway start blocked: existing config is missing gateway.mode.\n";
        assert!(complaint(log).unwrap().1.starts_with("Gateway start blocked:"));
    }

    #[test]
    fn a_home_that_a_newer_engine_wrote_is_no_fault_of_the_configuration() {
        let log =
            b"2026-11-23T17:00:00Z [gateway] Gateway refused startup because 2 OpenClaw database \
            schema(s) are newer than this build. openclaw.sqlite: 99 > 12.\n";
        let (reason, told) = complaint(log).unwrap();
        assert_eq!(reason, Reason::EngineTooOld);
        assert!(told.starts_with("Gateway refused startup because 2"), "{told}");
    }

    #[test]
    fn an_ordinary_log_has_no_complaint_and_a_hostile_one_is_bounded() {
        assert_eq!(complaint(b"all is well\n"), None);
        let hostile = format!("Invalid config at\n{}", "\u{1b}[31mx".repeat(100_000));
        assert!(complaint(hostile.as_bytes()).unwrap().1.len() <= 300 * 8 * 4);
        assert!(!complaint(hostile.as_bytes()).unwrap().1.contains('\u{1b}'));
    }
}
