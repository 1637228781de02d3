//! Errors on the wire: problem documents (RFC 9457) with a stable code and a hint, and what the
//! command line makes of each.

use serde::{Deserialize, Serialize};
use smartbox_core::config::Fault;
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not done. The only shape in which an error leaves the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A name for the kind of problem: `urn:smartbox:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem it is, in a few words; the same for every problem of its code.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable word for programs.
    pub code: String,
    /// What happened, one sentence for a person.
    pub detail: String,
    /// What the person can do; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// What is wrong in a document, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// The request's id, as in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem of this code.
    pub fn new(code: Code, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:smartbox:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.as_str().to_owned(),
            detail: detail.into(),
            hint: hint.into(),
            errors: Vec::new(),
            request_id: None,
        }
    }

    /// The code, if this version knows it.
    pub fn known(&self) -> Option<Code> {
        Code::parse(&self.code)
    }

    /// The exit code of a command that ends with this problem.
    pub fn exit(&self) -> Exit {
        self.known().map_or(Exit::Failure, Code::exit)
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $title:literal, $exit:ident;)*) => {
        /// The stable codes. A word never changes its meaning and is never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }
            /// Its HTTP status.
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status),* } }
            /// Its title.
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }
            /// The exit code of a command that ends with it.
            pub const fn exit(self) -> Exit { match self { $(Self::$variant => Exit::$exit),* } }
            /// Reads the word.
            pub fn parse(word: &str) -> Option<Self> { match word { $($word => Some(Self::$variant),)* _ => None } }
        }
    };
}

codes! {
    /// The request is not understood: bad JSON, an unknown field, a bad value.
    BadRequest = "bad-request", 400, "The request is not understood", Usage;
    /// A name or id has not the form that is asked for.
    BadName = "bad-name", 400, "The name cannot be used", Usage;
    /// What came is not what its digest is of; nothing was changed.
    DigestMismatch = "digest-mismatch", 400, "The bytes are not those that were announced", Failure;
    /// No sign-in, or one that is unknown or over.
    Unauthenticated = "unauthenticated", 401, "Sign-in is needed", Denied;
    /// The session is a browser's that has a key, and has not shown it for a while.
    Unproven = "unproven", 401, "The browser has to show its key", Denied;
    /// The session is a browser's that nobody has let in yet.
    NotLetIn = "not-let-in", 401, "The browser is not let in", Denied;
    /// Signed in, and still not allowed; or the request came from another site.
    Forbidden = "forbidden", 403, "Not allowed", Denied;
    /// No such thing at this address.
    NotFound = "not-found", 404, "Not found", NotFound;
    /// The address is right, the method is not.
    MethodNotAllowed = "method-not-allowed", 405, "The method is not allowed here", Failure;
    /// The name is taken.
    Exists = "exists", 409, "The name is taken", Conflict;
    /// Not in this state; ask again later, or after what the hint says.
    Conflict = "conflict", 409, "Not in this state", Conflict;
    /// The original platform had this call; the hint says what replaces it.
    Gone = "gone", 410, "This call is gone", NotFound;
    /// Somebody else has changed it since the asker looked.
    PreconditionFailed = "precondition-failed", 412, "It has changed since", Conflict;
    /// The box failed too often and waits for a reset by hand.
    Tripped = "tripped", 409, "The smartbox failed too often", BoxFailed;
    /// The body is longer than allowed.
    TooLarge = "too-large", 413, "The request is too large", Usage;
    /// Not JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "The body is not JSON", Failure;
    /// The file has no bytes in the range that is asked for.
    BadRange = "bad-range", 416, "There are no such bytes", Usage;
    /// The host name in the request is none of this platform's.
    WrongHost = "wrong-host", 421, "This host is not served here", Denied;
    /// What was asked cannot be done by what is there.
    Refused = "refused", 422, "Refused", Failure;
    /// Something else was asked under the same `Idempotency-Key`.
    IdempotencyMismatch = "idempotency-mismatch", 422, "The key is another request's", Usage;
    /// The engine's own schema, or the engine, does not allow this configuration.
    InvalidConfig = "invalid-config", 422, "The engine does not allow this configuration", Failure;
    /// More than a limit allows; `Retry-After` says how long to wait.
    TooMany = "too-many-requests", 429, "Too many requests", Failure;
    /// The platform failed; the log has the cause under the request's id.
    Internal = "internal", 500, "The platform failed", Failure;
    /// The engine or the sandbox did not do what the platform asked of it.
    Upstream = "upstream", 502, "The smartbox did not answer as it should", BoxFailed;
    /// The storage of snapshots did not do what the platform asked of it.
    Storage = "storage", 502, "The storage of snapshots does not work", Failure;
    /// The box is turned off.
    Off = "off", 503, "The smartbox is turned off", BoxOff;
    /// The box failed.
    Failed = "failed", 503, "The smartbox failed", BoxFailed;
    /// The platform runs and cannot work.
    NotReady = "not-ready", 503, "The platform cannot work", Unreachable;
    /// The platform is going down.
    Draining = "draining", 503, "The platform is shutting down", Unreachable;
    /// The box was not there in time; it may still be on its way.
    Late = "late", 504, "The smartbox was not ready in time", Late;
    /// The disk is full.
    DiskFull = "disk-full", 507, "The disk is full", DiskFull;
}

/// The exit codes of the `smartbox` command. `exec` ends with the command's own code, 128 + signal,
/// 124 when its deadline killed it, and [`Exit::ExecFailed`] for everything that is not the command's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Failed in a way that has no code of its own.
    Failure = 1,
    /// The command line, or a value in it, is not understood.
    Usage = 2,
    /// There is no such smartbox, message or secret.
    NotFound = 3,
    /// The name is taken, or the box is not in a state for it.
    Conflict = 4,
    /// Not signed in, or not allowed.
    Denied = 5,
    /// No platform answers: `smartbox up` is not running, or is shutting down.
    Unreachable = 6,
    /// The smartbox is turned off.
    BoxOff = 7,
    /// The smartbox failed.
    BoxFailed = 8,
    /// The smartbox was not ready in time.
    Late = 9,
    /// `up`: the configuration is wrong.
    Config = 20,
    /// `up`: the address is taken or cannot be listened on.
    Listen = 21,
    /// `up`: another `up` runs on this data directory.
    Running = 22,
    /// `up`: the data directory, its database or its keys cannot be used.
    Data = 23,
    /// `up`: this machine cannot isolate boxes well enough.
    Sandbox = 24,
    /// `up`: the engine could not be installed.
    Install = 25,
    /// The disk is full.
    DiskFull = 28,
    /// `exec`: the deadline killed the command.
    ExecTimeout = 124,
    /// `exec`: the command could not be run.
    ExecFailed = 125,
}

impl Exit {
    /// All that there are.
    pub const ALL: [Self; 19] = [
        Self::Ok,
        Self::Failure,
        Self::Usage,
        Self::NotFound,
        Self::Conflict,
        Self::Denied,
        Self::Unreachable,
        Self::BoxOff,
        Self::BoxFailed,
        Self::Late,
        Self::Config,
        Self::Listen,
        Self::Running,
        Self::Data,
        Self::Sandbox,
        Self::Install,
        Self::DiskFull,
        Self::ExecTimeout,
        Self::ExecFailed,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_an_error() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.status() >= 400 && code.exit() != Exit::Ok, "{code:?}");
        }
    }

    #[test]
    fn a_problem_of_a_newer_platform_is_still_a_failure() {
        let text = r#"{"type":"x","title":"t","status":499,"code":"unheard-of","detail":"d"}"#;
        let problem: Problem = serde_json::from_str(text).unwrap();
        assert_eq!(problem.exit(), Exit::Failure);
    }
}
