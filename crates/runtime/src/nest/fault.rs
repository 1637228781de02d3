//! Turning errors of system calls into [`Fault`]s that say what was being done.

use std::io;

use super::spec::Fault;

/// A fault from an error.
pub(super) fn fault(doing: impl Into<String>, error: impl Into<io::Error>) -> Fault {
    let error = error.into();
    Fault { doing: doing.into(), text: error.to_string(), errno: error.raw_os_error() }
}

/// Adds to a failed result what was being done.
pub(super) trait Doing<T> {
    /// With fixed words.
    fn doing(self, what: &str) -> Result<T, Fault>;
    /// With words and what they are about.
    fn doing_to(self, what: &str, about: &dyn std::fmt::Display) -> Result<T, Fault>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Fault> {
        self.map_err(|e| fault(what, e))
    }

    fn doing_to(self, what: &str, about: &dyn std::fmt::Display) -> Result<T, Fault> {
        self.map_err(|e| fault(format!("{what} {about}"), e))
    }
}
