//! A command that is a job: what was asked, and what is kept of its end.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::ExecId;

/// The kind of its job.
pub const KIND: &str = "box.exec";
/// So many results are kept of a box.
pub const KEEPS: usize = 100;
/// What is kept of one stream, in bytes of its JSON: both fit into the result of a job.
pub const MAX_STREAM: usize = 100 << 10;

/// What is written down of an order. Its variables and its input may be secret: they stay in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Working directory; the home if absent.
    pub cwd: Option<String>,
    /// The names of its variables.
    pub env: Vec<String>,
    /// Milliseconds until it is killed.
    pub timeout_ms: u64,
    /// Under which name the process that took it in holds what is not written down; absent if
    /// there is nothing.
    pub given: Option<ExecId>,
}

/// What came of a command that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub exit: Ended,
    /// The beginning of its standard output.
    pub stdout: Output,
    /// The beginning of its standard error.
    pub stderr: Output,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ended {
    /// Its exit code; absent if a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether its box ran out of memory meanwhile.
    pub oom: bool,
    /// Whether its deadline ended it.
    pub timed_out: bool,
    /// From its beginning to its end, in milliseconds.
    pub took_ms: u64,
}

/// The beginning of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Output {
    /// What is kept, as text: a byte that is no UTF-8 shows as U+FFFD.
    pub text: String,
    /// Whether there was more.
    pub truncated: bool,
}

impl Output {
    /// As much of these bytes as may be kept.
    pub fn of(bytes: &[u8], truncated: bool) -> Self {
        let whole = String::from_utf8_lossy(bytes);
        let mut room = MAX_STREAM;
        let mut end = whole.len();
        for (at, c) in whole.char_indices() {
            let Some(left) = room.checked_sub(written(c)) else {
                end = at;
                break;
            };
            room = left;
        }
        let truncated = truncated || end < whole.len();
        let mut text = whole.into_owned();
        text.truncate(end);
        Self { text, truncated }
    }
}

/// How many bytes of JSON a character takes.
fn written(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::MAX_RESULT;

    fn outcome(bytes: &[u8]) -> Outcome {
        let output = Output::of(bytes, false);
        let exit = Ended {
            code: Some(i32::MIN),
            signal: Some(i32::MIN),
            oom: false,
            timed_out: false,
            took_ms: u64::MAX,
        };
        Outcome { exit, stdout: output.clone(), stderr: output }
    }

    #[test]
    fn whatever_a_command_writes_its_result_fits_a_job() {
        for unit in [&b"x"[..], b"\"", b"\0", b"\x1b", b"\n", b"\xff", "\u{e4}\u{1f980}".as_bytes()]
        {
            let outcome = outcome(&unit.repeat((1 << 20) / unit.len()));
            assert!(outcome.stdout.truncated);
            let json = serde_json::to_string(&outcome).unwrap();
            assert!(json.len() <= MAX_RESULT, "{unit:?}: {}", json.len());
            assert!(json.len() > MAX_STREAM, "{unit:?} uses its room: {}", json.len());
            assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), outcome);
        }
    }

    #[test]
    fn what_fits_is_whole() {
        let all = vec![b'x'; MAX_STREAM];
        assert!(!Output::of(&all, false).truncated);
        assert_eq!(
            Output::of(b"ab\xff", true),
            Output { text: "ab\u{fffd}".into(), truncated: true }
        );
        assert_eq!(Output::of(b"", false), Output::default());
    }
}
