//! The JSON frames of protocol version 4, as far as the platform reads them. Unknown keys pass.
//!
//! What a frame carries stays the text that it came as, until somebody reads what they need of it: as a
//! tree it would be many times as large, and how large is for the box to say.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use smartbox_core::engine::port::EngineError;

/// What arrives on the socket.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// The answer to a request.
    Res(Answer),
    /// Something happened.
    Event(Event),
    /// A later protocol may say more.
    Unknown,
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) ok: bool,
    pub(crate) payload: Payload,
    pub(crate) error: Option<Refusal>,
}

/// Something happened.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) payload: Payload,
}

/// JSON that is not read yet.
#[derive(Debug, Default)]
pub(crate) struct Payload(Option<Box<RawValue>>);

impl Payload {
    /// Reads it. Types that are read should hold what is needed and nothing else, and lists have an end
    /// ([`super::loose::list`]).
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.as_deref().map_or("null", RawValue::get))
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.0.as_deref().map_or(0, |raw| raw.get().len())
    }
}

/// Every frame, as it comes.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    ok: Option<bool>,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    payload: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Refusal>,
}

impl Incoming {
    /// Reads a frame.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let frame: Frame<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let payload = Payload(frame.payload);
        match (&*frame.kind, frame.id, frame.ok, frame.event) {
            ("res", Some(id), Some(ok), _) => {
                Ok(Self::Res(Answer { id, ok, payload, error: frame.error }))
            }
            ("event", _, _, Some(event)) => Ok(Self::Event(Event { event, payload })),
            ("res" | "event", ..) => Err("a part of it is missing".into()),
            _ => Ok(Self::Unknown),
        }
    }
}

/// Why a request was not done.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    pub(crate) retry_after_ms: Option<u64>,
}

impl Refusal {
    /// What the platform is to make of it.
    pub(crate) fn into_error(self) -> EngineError {
        let why: String = self.message.chars().take(500).collect();
        if self.retryable || self.code == "UNAVAILABLE" {
            let retry_after_ms = self.retry_after_ms.unwrap_or(1_000).clamp(50, 60_000);
            return EngineError::NotReady { why, retry_after_ms };
        }
        EngineError::Refused { why: format!("{why} ({})", self.code) }
    }
}

/// What `connect` is answered with.
#[derive(Debug, Deserialize)]
pub(crate) struct Hello {
    pub(crate) server: Server,
}

/// Who the engine says it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Server {
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) build_id: String,
}

/// The numbers of a version like `2026.9.6`; what follows a `-` or `+` does not count.
pub(crate) fn version(text: &str) -> Option<[u32; 3]> {
    let plain = text.split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|part| part.parse::<u32>().ok());
    let out = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(out)
}

/// Refuses an engine below the floor.
pub(crate) fn check_floor(found: &str, floor: &str) -> Result<(), EngineError> {
    match (version(found), version(floor)) {
        (Some(ours), Some(lowest)) if ours >= lowest => Ok(()),
        _ => Err(EngineError::TooOld {
            found: found.chars().take(40).collect(),
            floor: floor.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(check_floor("2026.10.0", "2026.9.6").is_ok());
        assert!(check_floor("2026.9.6-beta.1", "2026.9.6").is_ok());
        for old in ["2026.9.5", "2025.12.31", "", "new", "2026.9.6.1"] {
            assert!(
                matches!(check_floor(old, "2026.9.6"), Err(EngineError::TooOld { .. })),
                "{old}"
            );
        }
    }

    #[test]
    fn a_refusal_says_whether_to_ask_again() {
        let busy = Refusal { code: "UNAVAILABLE".into(), ..Refusal::default() };
        assert!(matches!(busy.into_error(), EngineError::NotReady { retry_after_ms: 1_000, .. }));
        let never = Refusal { code: "INVALID_REQUEST".into(), ..Refusal::default() };
        assert!(matches!(never.into_error(), EngineError::Refused { .. }));
    }

    #[test]
    fn frames_of_a_later_protocol_are_passed_over() {
        let frame = Incoming::parse(r#"{"type":"hint","x":[1]}"#);
        assert!(matches!(frame, Ok(Incoming::Unknown)));
        for part in [r#"{"type":"res","id":"1"}"#, r#"{"type":"event"}"#, r#"{"id":"1"}"#, "[]"] {
            assert!(Incoming::parse(part).is_err(), "{part}");
        }
    }
}
