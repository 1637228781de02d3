//! How a box has been doing: what the platform remembers of its starts and ends, for the state document.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sandbox::Exit;
use crate::smartbox::Reason;
use crate::smartbox::breaker::Breaker;
use crate::time::Timestamp;

/// Part of the row. Every field may be absent: a box that was made by an older platform has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Vitals {
    /// Since when it is in its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When its last start began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// How long that start took until the engine was ready, in milliseconds; absent until it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// When the engine said last, after a start or a thaw, that it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Timestamp>,
    /// The last end of the engine that nobody had asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<Ending>,
    /// The version of the engine that its last start was with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The circuit breaker.
    pub breaker: Breaker,
}

/// How the engine ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ending {
    /// When it was seen.
    pub at: Timestamp,
    /// Of which class.
    pub reason: Reason,
    /// Its exit code, if it had one and it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that killed it, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl Vitals {
    /// A start begins.
    pub fn starts(&mut self, now: Timestamp) {
        (self.started, self.start_ms) = (Some(now), None);
    }

    /// The engine is ready: after a start that is how long the start took, after a thaw it is not.
    pub fn is_ready(&mut self, now: Timestamp) {
        self.ready = Some(now);
        if let (Some(started), None) = (self.started, self.start_ms) {
            let took = now.since(started).as_millis();
            self.start_ms = Some(u64::try_from(took).unwrap_or(u64::MAX));
        }
    }
}

/// The class of an exit. `final_codes` are those by which the engine refuses its configuration;
/// `full` says that the home has reached its limit.
pub fn classify(exit: Exit, final_codes: &[i32], full: bool) -> Reason {
    if exit.oom {
        Reason::OutOfMemory
    } else if exit.code.is_some_and(|code| final_codes.contains(&code)) {
        Reason::BadConfig
    } else if full {
        Reason::Quota
    } else {
        Reason::Crash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_has_one_class() {
        let exit = |code, oom| Exit { code, signal: None, oom };
        assert_eq!(classify(exit(None, true), &[78], true), Reason::OutOfMemory);
        assert_eq!(classify(exit(Some(78), false), &[78], true), Reason::BadConfig);
        assert_eq!(classify(exit(Some(1), false), &[78], true), Reason::Quota);
        assert_eq!(classify(exit(Some(1), false), &[78], false), Reason::Crash);
    }

    #[test]
    fn only_a_start_is_timed_not_a_thaw() {
        let mut vitals = Vitals::default();
        vitals.starts(Timestamp(1_000));
        vitals.is_ready(Timestamp(4_000));
        vitals.is_ready(Timestamp(9_000));
        assert_eq!((vitals.start_ms, vitals.ready), (Some(3_000), Some(Timestamp(9_000))));
    }

    #[test]
    fn a_row_of_an_older_platform_reads_as_nothing_known() {
        assert_eq!(serde_json::from_str::<Vitals>("{}").unwrap(), Vitals::default());
    }
}
