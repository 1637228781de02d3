//! A box's logs on the wire: `GET …/log`, answered with the engine's bytes as `text/plain`, and
//! `GET …/logs`, answered with lines of the engine and of the platform.

use serde::{Deserialize, Serialize};
use smartbox_core::log::{Level, Line, Source};
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// The reply header with the offset after the last byte of this reply (absent when following).
pub const NEXT_HEADER: &str = "smartbox-log-next";
/// The longest tail that is given, in bytes.
pub const MAX_TAIL: u64 = 1 << 20;

/// Which part of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct LogQuery {
    /// From this offset; not together with `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The last so many bytes; 64 KiB if neither is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u64>,
    /// Keep the reply open and send what is written from now on.
    pub follow: bool,
}

/// The media type of lines: one JSON document a line; an empty line says that nothing happens.
pub const LINES: &str = "application/x-ndjson";
/// The most lines that are given of what is there.
pub const MAX_LINES: usize = 10_000;
/// Lines if nobody says.
pub const SOME_LINES: usize = 200;

/// Whose lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sources {
    /// Those of what runs inside.
    Engine,
    /// What the platform did with the box.
    Platform,
    /// Both, by time.
    #[default]
    All,
}

/// Which lines of both logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct LinesQuery {
    /// Whose.
    #[param(inline)]
    pub source: Sources,
    /// Not before this time, like `2026-11-27T20:50:46Z`, or not longer ago than this, like `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The last so many of what is there: 200, or with `since` 10,000, which is the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<usize>,
    /// Those behind the line with this `cursor`; not together with `since` or `tail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Keep the reply open and send what comes from now on.
    pub follow: bool,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When: as the line itself says, or else the engine's line before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<Timestamp>,
    /// Who wrote it.
    pub source: Source,
    /// How much it matters; an engine does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub level: Option<Level>,
    /// What it says, without its time.
    pub text: String,
    /// The place behind it: `after` this nothing is missed and nothing comes twice.
    pub cursor: String,
}

impl From<Line> for LogLine {
    fn from(line: Line) -> Self {
        let Line { time, source, level, text, place } = line;
        Self { time, source, level, text, cursor: place.to_string() }
    }
}
