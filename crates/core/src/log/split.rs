//! Pages of bytes in, lines out: each with its place, and with a time where one is known.

use super::parse::leading_time;
use crate::sandbox::LogPage;
use crate::time::Timestamp;

/// The longest line, in bytes; a longer one is several.
const LONGEST: usize = 16 << 10;

/// A line of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where its bytes begin and end in the engine's log.
    pub from: u64,
    /// See `from`.
    pub to: u64,
    /// The time that it begins with, or else that of the line before.
    pub time: Option<Timestamp>,
    /// The line without its time.
    pub text: String,
    /// Bytes before it that were gone before they were read.
    pub missed: u64,
}

/// Takes pages that follow one another.
#[derive(Debug, Clone)]
pub struct Split {
    /// Where the bytes begin that are no whole line yet.
    from: u64,
    begun: Vec<u8>,
    time: Option<Timestamp>,
    missed: u64,
}

impl Split {
    /// For pages from this place on.
    pub fn new(from: u64) -> Self {
        Self { from, begun: Vec::new(), time: None, missed: 0 }
    }

    /// The same, with what stands before: a first line without a time has that of one in there.
    pub fn behind(before: &LogPage, from: u64) -> Self {
        let mut earlier = Self::new(before.from);
        let known = usize::try_from(from.saturating_sub(before.from)).unwrap_or(usize::MAX);
        let bytes = before.bytes[..known.min(before.bytes.len())].to_vec();
        earlier.push(&LogPage { bytes, ..before.clone() });
        Self { time: earlier.time, ..Self::new(from) }
    }

    /// Where the next page begins.
    pub fn next(&self) -> u64 {
        self.from + self.begun.len() as u64
    }

    /// Where the first line begins that was not given out.
    pub fn given(&self) -> u64 {
        self.from
    }

    /// The whole lines that a page ends.
    pub fn push(&mut self, page: &LogPage) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if page.from != self.next() && !page.bytes.is_empty() {
            pieces.extend(self.rest());
            self.missed += page.from.saturating_sub(self.from);
            self.from = page.from;
        }
        let mut bytes = page.bytes.as_slice();
        while !bytes.is_empty() {
            let room = LONGEST - self.begun.len();
            let end = bytes.iter().take(room).position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len().min(room), |end| end + 1);
            self.begun.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if end.is_some() || self.begun.len() == LONGEST {
                pieces.extend(self.rest());
            }
        }
        pieces
    }

    /// What was begun, as a line: nothing follows.
    pub fn rest(&mut self) -> Option<Piece> {
        if self.begun.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.begun);
        let (from, to) = (self.from, self.from + bytes.len() as u64);
        self.from = to;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes));
        let text = match leading_time(&text) {
            Some((time, rest)) if rest.is_empty() || rest.starts_with(' ') => {
                self.time = Some(time);
                rest.strip_prefix(' ').unwrap_or(rest).to_owned()
            }
            _ => text.into_owned(),
        };
        let missed = std::mem::take(&mut self.missed);
        Some(Piece { from, to, time: self.time, text, missed })
    }
}
