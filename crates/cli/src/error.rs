//! Why a command did not do what was asked: what is said, what helps, and the exit code.

use std::io;

use smartbox_api::problem::{Exit, Problem};
use smartbox_server::BootError;
use smartbox_server::config::ConfigError;

/// Why a command did not do what was asked. Each variant is a different thing to do for the person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The platform said no.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Nobody answers there.
    #[error("no platform is running on {place}")]
    Unreachable {
        /// The socket or address.
        place: String,
        /// The command that starts one there; none for another machine.
        start: Option<String>,
    },
    /// Somebody answers there, and not to us.
    #[error("the socket {place} belongs to another user")]
    NotOurs {
        /// The socket.
        place: String,
    },
    /// The connection ended before the answer did.
    #[error("the connection to the platform broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whoever answers there is no platform, or one of another version.
    #[error("the platform's answer is not understood: {0}")]
    Garbled(String),
    /// The command line makes no sense.
    #[error("{what}")]
    Usage {
        /// What is wrong with it.
        what: String,
        /// What to write.
        hint: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The platform does not start, or did not end well.
    #[error(transparent)]
    Boot(BootError),
    /// A person ended it: the number of the signal.
    #[error("stopped")]
    Interrupted(i32),
    /// Standard output takes no more.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
    /// Everything was said already; only the exit code is left.
    #[error("")]
    Said(u8),
    /// Something on this machine.
    #[error("{what}")]
    Here {
        /// What does not work.
        what: String,
        /// What helps.
        hint: String,
        /// The code to end with.
        exit: Exit,
    },
}

impl CliError {
    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: hint.into() }
    }

    pub(crate) fn here(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Here { what: what.into(), hint: hint.into(), exit: Exit::Failure }
    }

    /// What the person can do; empty if nothing is known to help.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Problem(problem) => problem.hint.clone(),
            Self::Unreachable { start: Some(command), .. } => format!("start it with `{command}`"),
            Self::Unreachable { start: None, .. } => {
                "look whether it runs there, and whether the address and port are right".into()
            }
            Self::NotOurs { .. } => {
                "run this command as the user that runs `smartbox up`, or use --server with a token"
                    .into()
            }
            Self::Broken(_) => "the platform's log says why, if it was the platform".into(),
            Self::Garbled(_) => {
                "look whether the address is the platform's, and `smartbox version` on both sides"
                    .into()
            }
            Self::Usage { hint, .. } | Self::Here { hint, .. } => hint.clone(),
            Self::Config(error) => error.hint(),
            Self::Boot(error) => error.hint(),
            Self::Interrupted(_) | Self::Output(_) | Self::Said(_) => String::new(),
        }
    }

    /// The code that the command ends with.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Problem(problem) => problem.exit().code(),
            Self::Unreachable { .. } | Self::Broken(_) => Exit::Unreachable.code(),
            Self::NotOurs { .. } => Exit::Denied.code(),
            Self::Garbled(_) => Exit::Failure.code(),
            Self::Usage { .. } => Exit::Usage.code(),
            Self::Config(error) if error.is_option() => Exit::Usage.code(),
            Self::Config(_) => Exit::Config.code(),
            Self::Boot(error) => error.exit().code(),
            Self::Interrupted(signal) => 128 + u8::try_from(*signal).unwrap_or(0),
            // Whoever read our output has enough of it, as `| head` does: not our failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok.code(),
            Self::Output(_) => Exit::Failure.code(),
            Self::Said(code) => *code,
            Self::Here { exit, .. } => exit.code(),
        }
    }

    /// Whether the platform may be there again in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken(_) => true,
            Self::Problem(problem) => problem.exit() == Exit::Unreachable,
            _ => false,
        }
    }

    /// Whether there is anything to print.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Interrupted(_) | Self::Said(_))
            || matches!(self, Self::Output(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }
}
