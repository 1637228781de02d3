//! Errors on their way out: a problem document, or a page for a person who looks.

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode, Uri};
use smartbox_api::page::BadPage;
use smartbox_api::problem::{Code, Problem};
use smartbox_control::ControlError;
use smartbox_core::config::Fault;
use smartbox_core::engine::port::EngineError;
use smartbox_core::home::port::FileError;
use smartbox_core::person::Right;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store::StoreError;

/// What [`Trouble::missing`] says of a smartbox.
pub(super) const NO_BOX: &str = "there is no such smartbox";

/// Why a request is not done. Rendered by [`super::outer`], which knows what the asker reads.
#[derive(Debug)]
pub(super) struct Trouble {
    problem: Box<Problem>,
    retry_after: Option<u16>,
}

impl Trouble {
    pub(super) fn new(code: Code, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail, hint)), retry_after: None }
    }

    /// What is said of it.
    pub(super) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// The document, for a reply that has several.
    pub(super) fn into_problem(self) -> Problem {
        *self.problem
    }

    pub(super) fn retry(mut self, seconds: u16) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(
            Code::Unauthenticated,
            "this needs a sign-in, and there is none that is known",
            "open the link that `smartbox up` printed, or send `Authorization: Bearer <token>`",
        )
    }

    /// Somebody brings what nobody here knows. Whether it ever was something is not said.
    pub(super) fn unknown_token() -> Self {
        Self::new(
            Code::Unauthenticated,
            "the token that came with this is not known here: it is wrong, or it has ended",
            "put the right one into SMARTBOX_TOKEN, or be let in anew by `smartbox login`; the link that \
             `smartbox up` printed holds one too",
        )
    }

    /// A browser that has a key has to show it.
    pub(super) fn unproven(detail: &str) -> Self {
        let hint = "reload the platform's page in this browser; if that does not help, sign out, and in \
                    again";
        Self::new(Code::Unproven, detail, hint)
    }

    /// Nobody has let a browser in.
    pub(super) fn not_let_in(detail: &str, hint: &str) -> Self {
        Self::new(Code::NotLetIn, detail, hint)
    }

    /// Whoever asks may less than that.
    pub(super) fn less(needs: Right) -> Self {
        let (detail, hint) = match needs {
            Right::Read => ("you may not look at this", "ask an owner of the account for access"),
            Right::Chat => {
                ("you may look, and not write", "ask an owner of the account for `chat`")
            }
            Right::Manage => (
                "you may not change this",
                "ask an owner of the account for `manage`, or to be a member",
            ),
            Right::Own => ("only an owner of the account may do this", "ask one of its owners"),
        };
        Self::new(Code::Forbidden, detail, hint)
    }

    /// Somebody is who they say, and may nothing here.
    pub(super) fn stranger(detail: String) -> Self {
        let hint = "ask whoever runs this platform: they give access in `[[sign_in.grants]]`";
        Self::new(Code::Forbidden, detail, hint)
    }

    /// Somebody else did not sign them in.
    pub(super) fn not_signed_in(detail: String) -> Self {
        Self::new(Code::Unauthenticated, detail, "go back to the start, and sign in again")
    }

    /// Whoever could say who somebody is does not answer.
    pub(super) fn away(detail: String) -> Self {
        let hint = "try again in a minute; a token signs in meanwhile";
        Self::new(Code::NotReady, detail, hint).retry(60)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is longer than {limit} bytes");
        Self::new(Code::TooLarge, detail, "send less at once")
    }

    pub(super) fn missing(what: &str) -> Self {
        let hint = match what {
            "smartbox" => "`smartbox ls` shows those that there are",
            "file" => "`smartbox files ls` shows those that there are",
            "snapshot" => "`smartbox snapshot ls` shows those that there are",
            "removed smartbox" => "`smartbox snapshot removed` shows those that there are",
            "version of the secret" => "`smartbox secret versions` shows those that are kept",
            "person" | "member" | "share" => "an id, or an address like ann@example.com, says who",
            "token" => "`smartbox token ls` shows those that are yours",
            "account" => "`smartbox account ls` shows those that there are",
            _ => "",
        };
        Self::new(Code::NotFound, format!("there is no such {what}"), hint)
    }

    /// A document with what is wrong in it.
    fn invalid(said: String, faults: Vec<Fault>) -> Self {
        let hint = "nothing was changed; correct it and try again";
        let mut trouble = Self::new(Code::InvalidConfig, said, hint);
        trouble.problem.errors = faults;
        trouble
    }

    /// The cause goes to the log, the person gets the request's id.
    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::broken()
    }

    /// A task that had a request in hand ended without an answer; its last words are in the log.
    pub(super) fn broken() -> Self {
        Self::new(
            Code::Internal,
            "the platform failed at this",
            "its log has the cause under this request's id; `smartbox doctor` may know more",
        )
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after.or_else(|| patience(status)) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(*self.problem);
        response
    }
}

/// Seconds after which to ask again, for what passes and did not say for itself.
fn patience(status: StatusCode) -> Option<u16> {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::GATEWAY_TIMEOUT => Some(5),
        // A box that is off stays off until somebody turns it on.
        StatusCode::SERVICE_UNAVAILABLE => Some(30),
        _ => None,
    }
}

/// For addresses that there are none of.
pub(super) async fn nowhere(uri: Uri) -> Trouble {
    Trouble::new(Code::NotFound, format!("there is nothing at {}", uri.path()), "")
}

/// For methods that an address has none of. axum adds `Allow`.
pub(super) async fn wrong_method(method: http::Method, uri: Uri) -> Trouble {
    Trouble::new(Code::MethodNotAllowed, format!("{} has no {method}", uri.path()), "")
}

impl From<BadPage> for Trouble {
    fn from(error: BadPage) -> Self {
        let hint = match error {
            BadPage::Limit => "",
            BadPage::Cursor => "begin again without `cursor`",
        };
        Self::new(Code::BadRequest, error.to_string(), hint)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { .. } => Self::new(Code::Exists, error.to_string(), ""),
            StoreError::Missing { what } => Self::missing(what),
            StoreError::Full => {
                Self::new(Code::DiskFull, error.to_string(), "free some space and try again")
            }
            StoreError::Fenced => Self::new(Code::Draining, error.to_string(), "ask the other one"),
            StoreError::Sealed | StoreError::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Self {
        let said = error.to_string();
        match error {
            FileError::Bad { why } => {
                Self::new(Code::BadRequest, why, "write paths relative to the home, like notes/a")
            }
            FileError::Absent => Self::missing("file"),
            FileError::Exists => Self::new(Code::Exists, said, "choose another, or replace it"),
            FileError::Unfit { why } => Self::new(Code::Refused, why, ""),
            FileError::Changed => Self::new(Code::PreconditionFailed, said, "look at it again"),
            FileError::Forbidden => {
                Self::new(Code::Forbidden, said, "change them in the box: `smartbox exec`")
            }
            FileError::Full => {
                let hint = "remove something in the home, give it a larger tier, or free the disk";
                Self::new(Code::DiskFull, said, hint)
            }
            FileError::Broken { .. } => Self::internal(&error),
        }
    }
}

impl From<ControlError> for Trouble {
    fn from(error: ControlError) -> Self {
        let said = error.to_string();
        match error {
            ControlError::Missing { what } => Self::missing(what),
            ControlError::Forbidden { needs } => Self::less(needs),
            ControlError::Exists { .. } => Self::new(Code::Exists, said, "choose another name"),
            ControlError::BadName(_) => Self::new(Code::BadName, said, ""),
            ControlError::Off { name } => {
                let name = name.as_deref().unwrap_or("BOX");
                Self::new(Code::Off, said, format!("turn it on with `smartbox start {name}`"))
            }
            ControlError::Failed(failure) => {
                Self::new(Code::Failed, failure.message, failure.hint).retry(10)
            }
            ControlError::Tripped(failure) => {
                Self::new(Code::Tripped, failure.message, failure.hint)
            }
            ControlError::Late { .. } => {
                let hint = "it is on its way; ask again, or see `smartbox logs`";
                Self::new(Code::Late, said, hint).retry(5)
            }
            ControlError::Refused { why, hint } => Self::new(Code::Refused, why, hint),
            ControlError::NotNow { why, hint } => Self::new(Code::Conflict, why, hint),
            ControlError::Stale { .. } => {
                Self::new(Code::PreconditionFailed, said, "look at it again, and then change it")
            }
            ControlError::Invalid { faults } => Self::invalid(said, faults),
            ControlError::OtherConfig { .. } => Self::new(
                Code::PreconditionFailed,
                said,
                "look again, and send the change with the new `ETag` in `If-Match`",
            ),
            ControlError::NoSchema(error) => {
                tracing::warn!(%error, "a configuration cannot be checked");
                Self::new(Code::Upstream, said, "`smartbox doctor` may know more")
            }
            ControlError::Draining => {
                Self::new(Code::Draining, said, "try again in a moment").retry(5)
            }
            ControlError::Store(error) => error.into(),
            ControlError::File(error) => error.into(),
            ControlError::Snapshot(error) => Self::of_snapshot(&error, said),
            ControlError::Digest => {
                Self::new(Code::DigestMismatch, said, "nothing was changed; send it again")
            }
            ControlError::CutOff { why } => {
                Self::new(Code::BadRequest, why, "nothing half-made is left; send it again")
            }
            ControlError::Runtime(RuntimeError::Full) => {
                Self::new(Code::DiskFull, said, "free some space and try again")
            }
            ControlError::Runtime(RuntimeError::Unsupported { why }) => {
                Self::new(Code::Refused, why, "`smartbox doctor` says what is missing")
            }
            ControlError::Engine(EngineError::Refused { why }) => {
                Self::new(Code::Upstream, format!("the engine refused: {why}"), "")
            }
            ControlError::Engine(error) if error.passes() => {
                Self::new(Code::Late, said, "it restarts; ask again, or see `smartbox logs`")
                    .retry(5)
            }
            ControlError::Runtime(_) | ControlError::Engine(_) | ControlError::Link(_) => {
                tracing::warn!(error = %said, "a box did not do its part");
                Self::new(Code::Upstream, said, "try again; `smartbox logs` shows what it says")
            }
        }
    }
}

impl Trouble {
    fn of_snapshot(error: &SnapshotError, said: String) -> Self {
        match error {
            SnapshotError::Missing { what } => Self::missing(what),
            SnapshotError::Exists { .. } | SnapshotError::Occupied | SnapshotError::Hole { .. } => {
                Self::new(Code::Conflict, said, "try it again").retry(5)
            }
            SnapshotError::Full => {
                Self::new(Code::DiskFull, said, "make room in the storage of snapshots")
            }
            SnapshotError::Away(_) | SnapshotError::Refused(_) => {
                tracing::warn!(error = %said, "the storage of snapshots did not do its part");
                Self::new(Code::Storage, said, "`smartbox doctor` tries the storage of snapshots")
            }
            SnapshotError::Corrupt { .. } => {
                tracing::warn!(error = %said, "what is in the storage of snapshots is damaged");
                Self::new(Code::Storage, said, "take another snapshot; older ones may be whole")
            }
            SnapshotError::Broken { .. } => Self::internal(error),
        }
    }
}
