//! The live form for browsers: a WebSocket at `GET …/exec` with the subprotocol [`PROTOCOL`].
//!
//! The caller's first message is text, an [`super::ExecOrder`] as JSON. Then its binary messages are
//! standard input and its text messages are [`Say`]. The platform says [`Told::Started`] once the
//! box is awake and the command runs. Its binary messages are output: the terminal's as it is, or
//! without a terminal behind one byte that says of which stream ([`STDOUT`], [`STDERR`]). Its last
//! message is [`Told::Exit`] or [`Told::Failed`]. Closing the socket cancels the command.

use serde::{Deserialize, Serialize};

use super::Exit;

/// The subprotocol that a caller offers.
pub const PROTOCOL: &str = "smartbox.exec.v1";
/// Without a terminal: the first byte of a binary message with standard output.
pub const STDOUT: u8 = 1;
/// Without a terminal: the first byte of a binary message with standard error.
pub const STDERR: u8 = 2;

/// What a caller says beside standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Say {
    /// The terminal has another size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A signal for the command, by name: `INT`, `TERM`, …
    Signal {
        /// The name, with or without `SIG`.
        name: String,
    },
    /// Standard input ends.
    Eof,
}

/// What the platform says beside output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Told {
    /// The box is awake and the command begins.
    Started,
    /// The command ended. The last message.
    Exit(Exit),
    /// The command was not run, or its end was never heard of. The last message.
    Failed {
        /// The code of the problem.
        code: String,
        /// One sentence for a person.
        detail: String,
        /// What the person can do; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        hint: String,
    },
}

/// The signals that a caller may send, by name.
const SIGNALS: [(&str, i32); 11] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("TERM", 15),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("WINCH", 28),
];

/// The number of a signal.
pub fn signal(name: &str) -> Option<i32> {
    let bare = name.strip_prefix("SIG").unwrap_or(name);
    SIGNALS.iter().find(|(known, _)| *known == bare).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_documented() {
        let text = |told: &Told| serde_json::to_string(told).unwrap();
        assert_eq!(text(&Told::Started), r#"{"type":"started"}"#);
        let exit = Told::Exit(Exit { code: Some(7), ..Exit::default() });
        let said = r#"{"type":"exit","code":7,"signal":null,"oom":false,"timed_out":false}"#;
        assert_eq!(text(&exit), said);
        let say = |text: &str| serde_json::from_str::<Say>(text).ok();
        let size = Say::Resize { cols: 80, rows: 24 };
        assert_eq!(say(r#"{"type":"resize","cols":80,"rows":24}"#), Some(size));
        assert_eq!(say(r#"{"type":"eof"}"#), Some(Say::Eof));
        for bad in [
            r#"{"type":"resize","cols":70000,"rows":24}"#,
            r#"{"type":"resize","cols":-1,"rows":24}"#,
            r#"{"type":"resize"}"#,
            r#"{"type":"signal","name":9}"#,
            r#"{"type":"shout"}"#,
            "[]",
        ] {
            assert_eq!(say(bad), None, "{bad}");
        }
    }

    #[test]
    fn signals_have_their_names_and_no_others() {
        assert_eq!(
            (signal("INT"), signal("SIGTERM"), signal("WINCH")),
            (Some(2), Some(15), Some(28))
        );
        for unknown in ["", "SIG", "int", "9", "SEGV", "SIGSIGINT"] {
            assert_eq!(signal(unknown), None, "{unknown}");
        }
    }
}
