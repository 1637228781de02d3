//! Why the engine room did not do what it was asked. Each variant is a different thing to do.

use smartbox_core::config::Fault;
use smartbox_core::config::port::NoSchema;
use smartbox_core::engine::port::EngineError;
use smartbox_core::home::port::FileError;
use smartbox_core::person::Right;
use smartbox_core::route::port::WakeError;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::smartbox::name::BadName;
use smartbox_core::smartbox::{Failure, State};
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store::StoreError;
use smartbox_link::LinkError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is no such thing, or it is another account's.
    #[error("there is no such {what}")]
    Missing {
        /// What kind of thing.
        what: &'static str,
    },
    /// It is there for whoever asks, and they may not do this with it.
    #[error("that needs the right to {} it", needs.as_str())]
    Forbidden {
        /// What must be allowed.
        needs: Right,
    },
    /// The name is taken.
    #[error("a {what} with that name exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
    },
    /// The name cannot be one.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// The owner turned the box off.
    #[error("{} is turned off", .name.as_deref().unwrap_or("this smartbox"))]
    Off {
        /// The box's name, where it is known.
        name: Option<String>,
    },
    /// The box failed, and says why.
    #[error("{}", .0.message)]
    Failed(Failure),
    /// The box failed too often: it waits for a person to reset it.
    #[error("{}", .0.message)]
    Tripped(Failure),
    /// The box is still on its way.
    #[error("the smartbox is still {state}")]
    Late {
        /// Where it was when the deadline came.
        state: State,
    },
    /// What was asked makes no sense, and will make none later.
    #[error("{why}")]
    Refused {
        /// For a person.
        why: String,
        /// What the person can do.
        hint: String,
    },
    /// What was asked cannot be done in the present state.
    #[error("{why}")]
    NotNow {
        /// For a person.
        why: String,
        /// What the person can do.
        hint: String,
    },
    /// Somebody else changed it meanwhile.
    #[error("it was changed meanwhile, and is at revision {revision} now")]
    Stale {
        /// Where it is now.
        revision: u64,
    },
    /// The engine does not allow what was asked: correct it.
    #[error("the engine does not allow this configuration{}", first(faults))]
    Invalid {
        /// What, and where.
        faults: Vec<Fault>,
    },
    /// It is no longer what the caller saw: look again.
    #[error("the configuration is no longer what it was")]
    OtherConfig {
        /// The digest of what is there now.
        digest: String,
    },
    /// The engine's schema cannot be had, so that nothing can be checked.
    #[error(transparent)]
    NoSchema(#[from] NoSchema),
    /// The platform is going down.
    #[error("the platform is shutting down")]
    Draining,
    /// Records could not be read or written.
    #[error(transparent)]
    Store(StoreError),
    /// The sandbox could not be reached or changed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The engine did not do its part.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A file was not read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A snapshot was not taken, read or restored.
    #[error("{}", in_words(.0))]
    Snapshot(#[from] SnapshotError),
    /// What came of an upload is not what was announced: nothing was changed.
    #[error("the bytes that came are not those that the digest is of")]
    Digest,
    /// An upload ended before its end: nothing was changed by what came last.
    #[error("{why}")]
    CutOff {
        /// For a person.
        why: String,
    },
    /// Init did not do its part.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl ControlError {
    /// The account's smartboxes are to stand still.
    pub(crate) fn idle(account: &smartbox_core::account::Account) -> Self {
        let (name, word) =
            (&account.name, if account.removing { "being removed" } else { "disabled" });
        Self::Refused {
            why: format!("the account {name} is {word}"),
            hint: if account.removing {
                String::new()
            } else {
                format!("an operator enables it with `smartbox account set {name} --enable`")
            },
        }
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { what } => Self::Exists { what },
            StoreError::Missing { what } => Self::Missing { what },
            other => Self::Store(other),
        }
    }
}

impl From<WakeError> for ControlError {
    fn from(error: WakeError) -> Self {
        match error {
            WakeError::Missing => Self::Missing { what: "smartbox" },
            WakeError::Off => Self::Off { name: None },
            WakeError::Failed(failure) => Self::Failed(failure),
            WakeError::Late { state } => Self::Late { state },
            WakeError::Draining => Self::Draining,
            WakeError::Store(error) => error.into(),
        }
    }
}

/// The first of them in words.
fn first(faults: &[Fault]) -> String {
    faults.first().map_or_else(String::new, |fault| {
        let hint = fault.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!(": {}: {}{hint}", fault.path, fault.message)
    })
}

/// With what is behind it: the storage's own words, above all.
fn in_words(error: &SnapshotError) -> String {
    let cause = std::error::Error::source(error);
    let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{error}{cause}")
}
