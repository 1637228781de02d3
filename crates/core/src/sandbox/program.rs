//! The name of a program in a box.

use std::fmt;

/// Bytes of a name that the kernel keeps.
const MOST: usize = 15;

/// What a process in a box goes by: printable and short. A process gives itself any name it likes, so
/// that this is a hint for a person and nothing to decide by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Program(String);

impl Program {
    /// By the name as the kernel tells it. What cannot be printed is a question mark.
    pub fn new(name: &[u8]) -> Option<Self> {
        let line = name.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let tame = |byte: &u8| if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '?' };
        let text: String = line.iter().take(MOST).map(tame).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable_whatever_a_process_calls_itself() {
        let name = |bytes: &[u8]| Program::new(bytes).map(|name| name.to_string());
        assert_eq!(name(b"curl\n").as_deref(), Some("curl"));
        assert_eq!(name(b"tmux: client\n").as_deref(), Some("tmux: client"));
        assert_eq!(name(b"\x1b[2J\x07x\n").as_deref(), Some("?[2J?x"));
        assert_eq!(name("\u{202e}lruc".as_bytes()).as_deref(), Some("???lruc"));
        assert_eq!(name(&[b'a'; 400]).as_deref(), Some("aaaaaaaaaaaaaaa"));
        for nothing in [&b""[..], b"\n", b"  \n", b"\ncurl"] {
            assert_eq!(name(nothing), None);
        }
    }
}
