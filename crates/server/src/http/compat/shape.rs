//! The original's words for what ours says more exactly.

use serde::Serialize;
use smartbox_api::problem::Problem;
use smartbox_core::smartbox::State;

/// The state words of `state/v2`. Ours is beside it in `smartboxState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    Stopped,
    Idle,
    Starting,
    Active,
    Error,
}

pub(super) fn word(state: State) -> Word {
    match state {
        State::Stopped => Word::Stopped,
        State::Frozen => Word::Idle,
        State::Starting => Word::Starting,
        State::Running => Word::Active,
        State::Failed => Word::Error,
    }
}

/// The address at which the end of something asynchronous can be read.
pub(super) fn state_of(user: &str) -> String {
    format!("/api/super/users/{user}/state/v2")
}

/// Whether this path is one of the original's calls.
pub(in crate::http) fn answers(path: &str) -> bool {
    path.starts_with("/api/super/") || path.starts_with("/api/admin/")
}

/// A problem document that a client of the original understands too: it looks for `error`.
pub(in crate::http) fn problem(problem: &Problem) -> String {
    #[derive(Serialize)]
    struct Both<'a> {
        error: &'a str,
        #[serde(flatten)]
        problem: &'a Problem,
    }
    serde_json::to_string(&Both { error: &problem.detail, problem }).unwrap_or_default()
}
