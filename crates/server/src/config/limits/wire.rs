//! How much one connection may ask of us, and one WebSocket say, before anybody knows who it is.

use std::time::Duration;

use serde::Deserialize;
use smartbox_core::limit::Rate;
use smartbox_core::time::parse_duration;

use super::super::error::ConfigError;
use super::super::size;
use super::{Words, WrittenRate, rate};

/// The least that a head may take: what the connection reads at once.
const LEAST_HEAD: u64 = 8 << 10;
/// The most: it is kept in memory for each connection.
const MOST_HEAD: u64 = 1 << 20;

/// Limits of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// Streams at once on an HTTP/2 connection.
    pub streams: u32,
    /// Of them, how many may be taken back before they were looked at.
    pub resets: usize,
    /// Streams that a client's mistakes may end, over an HTTP/2 connection's life.
    pub mistakes: usize,
    /// Header lines of a request.
    pub headers: usize,
    /// Bytes of a request's head.
    pub head: usize,
    /// From the first byte of a head to its last.
    pub head_time: Duration,
    /// Bytes of one frame of a WebSocket.
    pub frame: u64,
    /// Frames on one WebSocket; `None` is no limit.
    pub frames: Option<Rate>,
    /// Bytes on one WebSocket; `None` is no limit.
    pub flow: Option<Rate>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    streams: Option<u32>,
    resets: Option<usize>,
    mistakes: Option<usize>,
    headers: Option<usize>,
    head: Option<String>,
    head_time: Option<String>,
    frame: Option<String>,
    flow: Option<WrittenFlow>,
}

/// Like a rate, in sizes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFlow {
    rate: String,
    #[serde(default)]
    burst: Option<String>,
}

pub(super) fn settle(
    (file, base): (&Written, &Written),
    frames: Option<&WrittenRate>,
    words: &mut Words,
) -> Result<Wire, ConfigError> {
    let count = |name, file: Option<usize>, base: Option<usize>, words: &mut Words| {
        let count = file.or(base).unwrap_or(1);
        words.insert(name, count.to_string());
        let hint = "write how many there may be: 1, or more";
        let none = || ConfigError::value(format!("limits.{name}"), "0 lets nobody in", hint);
        if count == 0 { Err(none()) } else { Ok(count) }
    };
    let wide = |streams: Option<u32>| streams.and_then(|streams| usize::try_from(streams).ok());
    let streams = count("wire.streams", wide(file.streams), wide(base.streams), words)?;
    let head = bytes("wire.head", &file.head, &base.head, words)?;
    if !(LEAST_HEAD..=MOST_HEAD).contains(&head) {
        let why = format!("a head of {head} bytes is too small or too large");
        return Err(ConfigError::value("limits.wire.head", why, "write 8KiB to 1MiB"));
    }
    let frame = bytes("wire.frame", &file.frame, &base.frame, words)?;
    let flow = flow(file.flow.as_ref().or(base.flow.as_ref()), words)?;
    if let Some(flow) = flow.filter(|flow| flow.burst() < frame) {
        let why = format!("{} bytes at once are less than one frame may have", flow.burst());
        let hint = "let `burst` be at least `limits.wire.frame`";
        return Err(ConfigError::value("limits.wire.flow", why, hint));
    }
    Ok(Wire {
        streams: u32::try_from(streams).unwrap_or(u32::MAX),
        resets: count("wire.resets", file.resets, base.resets, words)?,
        mistakes: count("wire.mistakes", file.mistakes, base.mistakes, words)?,
        headers: count("wire.headers", file.headers, base.headers, words)?,
        head: usize::try_from(head).unwrap_or(usize::MAX),
        head_time: head_time(file, base, words)?,
        frame,
        frames: rate("frames", frames, words)?,
        flow,
    })
}

fn head_time(file: &Written, base: &Written, words: &mut Words) -> Result<Duration, ConfigError> {
    let text = file.head_time.as_ref().or(base.head_time.as_ref()).map_or("30s", String::as_str);
    words.insert("wire.head_time", text.to_owned());
    let bad = |why: String| {
        ConfigError::value("limits.wire.head_time", why, "write a time like `30s`, 1s at the least")
    };
    let time = parse_duration(text).map_err(|error| bad(error.to_string()))?;
    // Nobody's head comes in less, over a network.
    if time < Duration::from_secs(1) { Err(bad(format!("{text} is too short"))) } else { Ok(time) }
}

fn bytes(
    name: &'static str,
    file: &Option<String>,
    base: &Option<String>,
    words: &mut Words,
) -> Result<u64, ConfigError> {
    let text = file.as_ref().or(base.as_ref()).map_or("", String::as_str);
    words.insert(name, text.to_owned());
    size::parse(text).filter(|bytes| *bytes > 0).ok_or_else(|| {
        let why = format!("`{text}` is no size");
        ConfigError::value(format!("limits.{name}"), why, "write a size like `64KiB` or `32MiB`")
    })
}

fn flow(written: Option<&WrittenFlow>, words: &mut Words) -> Result<Option<Rate>, ConfigError> {
    let Some(written) = written.filter(|written| written.rate != "none") else {
        words.insert("wire.flow", "no limit".to_owned());
        return Ok(None);
    };
    let read = || {
        let (each, per) = written.rate.split_once('/')?;
        let each = size::parse(each)?;
        let burst = written.burst.as_deref().map_or(Some(each), size::parse)?;
        Rate::parse(&format!("{each}/{per}"), burst).ok()
    };
    let rate = read().ok_or_else(|| {
        let why = format!("`{}` is no rate of bytes", written.rate);
        let hint = "write `{ rate = \"8MiB/s\", burst = \"64MiB\" }`, or `{ rate = \"none\" }`";
        ConfigError::value("limits.wire.flow", why, hint)
    })?;
    words.insert("wire.flow", format!("{}, {} bytes at once", written.rate, rate.burst()));
    Ok(Some(rate))
}
