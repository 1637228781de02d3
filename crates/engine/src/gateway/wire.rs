//! The JSON frames of protocol version 4, as far as the platform reads them. Unknown keys pass.

use serde::Deserialize;
use serde_json::Value;
use smartbox_core::engine::port::EngineError;

/// What arrives on the socket.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Incoming {
    /// The answer to a request.
    Res(Answer),
    /// Something happened.
    Event(Event),
    /// A later protocol may say more.
    #[serde(other)]
    Unknown,
}

/// The answer to a request.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) payload: Value,
    #[serde(default)]
    pub(crate) error: Option<Refusal>,
}

/// Something happened.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) event: String,
    #[serde(default)]
    pub(crate) payload: Value,
}

/// Why a request was not done.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) details: Value,
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
        let frame: Incoming = serde_json::from_str(r#"{"type":"hint","x":1}"#).unwrap();
        assert!(matches!(frame, Incoming::Unknown));
    }
}
