//! What is written about a box, by its engine and by the platform, as lines.
//!
//! An engine's bytes come from inside: nothing is believed of them but, for its own lines, the time
//! that one begins with.

mod parse;
mod split;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::journal::Entry;
use crate::time::Timestamp;
pub use parse::{BadSince, parse_since};
pub use split::{Piece, Split};

/// A line of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, if anybody said.
    pub time: Option<Timestamp>,
    /// Who wrote it.
    pub source: Source,
    /// How much it matters, if that is known.
    pub level: Option<Level>,
    /// What it says.
    pub text: String,
    /// The place behind it.
    pub place: Place,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = LogSource)]
pub enum Source {
    /// What runs inside, or its init.
    Engine,
    /// The platform: what it did with the box, and why.
    Platform,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl Source {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Platform => "platform",
        }
    }
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = LogLevel)]
pub enum Level {
    /// Something happened.
    Info,
    /// Something that should not happen often.
    Warn,
    /// The box does not run.
    Error,
}

/// Both logs of a stretch as one, by time; each keeps its own order, whatever its times say. `place` is
/// the one before, and becomes the one behind.
pub fn merge(pieces: Vec<Piece>, entries: Vec<(u64, Entry)>, place: &mut Place) -> Vec<Line> {
    let mut lines = Vec::with_capacity(pieces.len() + entries.len());
    let mut entries = entries.into_iter().peekable();
    for piece in pieces {
        while let Some(entry) =
            entries.next_if(|(_, entry)| piece.time.is_some_and(|t| entry.at < t))
        {
            lines.push(of_entry(entry, place));
        }
        if piece.missed > 0 {
            let text = format!(
                "{} bytes of the engine's log were gone before they were read",
                piece.missed
            );
            place.engine = piece.from;
            let (source, level) = (Source::Platform, Some(Level::Warn));
            lines.push(Line { time: piece.time, source, level, text, place: *place });
        }
        place.engine = piece.to;
        let (time, source, text) = (piece.time, Source::Engine, piece.text);
        lines.push(Line { time, source, level: None, text, place: *place });
    }
    lines.extend(entries.map(|entry| of_entry(entry, place)));
    lines
}

fn of_entry((number, entry): (u64, Entry), place: &mut Place) -> Line {
    place.platform = number;
    Line {
        time: Some(entry.at),
        source: Source::Platform,
        level: Some(level(&entry)),
        text: format!("{}: {}", entry.event, entry.detail),
        place: *place,
    }
}

/// How much an entry of a journal matters.
fn level(entry: &Entry) -> Level {
    match entry.event.as_str() {
        "failed" => Level::Error,
        "breaker" if entry.detail.starts_with("open") => Level::Error,
        "exit" | "strike" => Level::Warn,
        _ => Level::Info,
    }
}

/// A place in both logs of a box: what comes after it was not read yet. As text, `4711.12`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the engine's log.
    pub engine: u64,
    /// The last entry of the journal.
    pub platform: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.engine, self.platform)
    }
}

/// The text is not a place in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("that is not a place in a log; take the `cursor` of a line")]
pub struct BadPlace;

impl std::str::FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|_| plain).ok_or(BadPlace)
        };
        let (engine, platform) = text.split_once('.').ok_or(BadPlace)?;
        Ok(Self { engine: number(engine)?, platform: number(platform)? })
    }
}

#[cfg(test)]
mod tests;
