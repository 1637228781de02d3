//! One thing that was looked at, and what came of it.

use std::borrow::Cow;

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and something is worse than it could be.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) name: Cow<'static, str>,
    pub(super) level: Level,
    /// One sentence.
    pub(super) what: String,
    /// What helps; empty where nothing is wrong.
    pub(super) hint: String,
}

impl Check {
    pub(super) fn ok(name: impl Into<Cow<'static, str>>, what: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Ok, what: what.into(), hint: String::new() }
    }

    pub(super) fn warn(
        name: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), level: Level::Warn, what: what.into(), hint: hint.into() }
    }

    pub(super) fn fail(
        name: impl Into<Cow<'static, str>>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), level: Level::Fail, what: what.into(), hint: hint.into() }
    }
}
