//! A device: a browser, a command line, a chat account or a connector. Somebody with the right lets it
//! in before it reaches anything, and how much it may is what they gave, never what it asked for.

pub mod code;
mod id;
mod pairing;
pub mod port;

use serde::{Deserialize, Serialize};

pub use id::{BadDevice, DeviceId, PublicKey};
pub use pairing::{
    Ask, Asking, FORGOTTEN, IDLE, INTERVAL, LASTS, MOST, Most, Place, Poll, Refusal, SLOWER,
    Undecided, Verdict, Waiting,
};

use crate::id::{AccountId, PersonId, SmartboxId};
use crate::person::Right;
use crate::session::Root;
use crate::time::Timestamp;

/// Something that somebody comes in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Which one.
    pub id: DeviceId,
    /// Its key; a browser that cannot keep one has none.
    pub key: Option<PublicKey>,
    /// What it is.
    pub kind: Kind,
    /// Whose it is, or would be. `None`: it asked for an account that is not there, which nobody tells it.
    pub account: Option<AccountId>,
    /// The one box that it is for, if for one.
    pub smartbox: Option<SmartboxId>,
    /// Whose hands it is in, if somebody's in particular: it may never more than they.
    pub person: Option<PersonId>,
    /// What it, or its owner, calls it. Of one that asks for an account that is not there, which nobody ever
    /// sees, the hash of what it named instead: each such name has places of its own, like one that is there.
    pub name: String,
    /// What it says it runs on.
    pub platform: String,
    /// Where it asked from, as the platform saw it.
    pub address: String,
    /// Whether it is let in.
    pub state: State,
    /// How much it was given; none before the first approval.
    pub granted: Option<Right>,
    /// What it asks for, while that is neither fetched nor over.
    pub ask: Option<Ask>,
    /// When it came first.
    pub created: Timestamp,
    /// When somebody decided last.
    pub decided: Option<Timestamp>,
    /// Who that was.
    pub decided_by: Option<String>,
    /// When it was there last, to the minute or so.
    pub seen: Option<Timestamp>,
    /// What it was let in by, if that was a token or another device: it ends with each of them, and never hangs on
    /// a session, which ends with every browser that is closed.
    pub root: Root,
}

impl Device {
    /// Whether what hangs on it stands.
    pub fn is_let_in(&self) -> bool {
        self.state == State::Approved
    }

    /// When it is let in no more unless it comes before. None if it is not let in, or not one that comes
    /// by a token: of a browser the session says how long.
    pub fn expires(&self) -> Option<Timestamp> {
        let by_token = matches!(self.kind, Kind::Cli | Kind::Connector);
        let there = self.seen.max(self.decided).unwrap_or(self.created);
        (by_token && self.is_let_in()).then(|| there.plus(IDLE))
    }

    /// Whether it stayed away for too long: as good as revoked, and that for good once it is sure.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|at| at <= now)
    }
}

/// What a sweep found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// So many are forgotten.
    pub gone: u64,
    /// Those that are let in and stayed away for too long, in any order.
    pub away: Vec<DeviceId>,
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DeviceKind)]
pub enum Kind {
    /// A browser.
    Browser,
    /// A command line, or another program of the API.
    Cli,
    /// An account of a chat service.
    Chat,
    /// A connector on somebody's machine.
    Connector,
}

/// Whether a device is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = DeviceState)]
pub enum State {
    /// Nobody has let it in yet.
    Pending,
    /// It is let in.
    Approved,
    /// It was not let in.
    Rejected,
    /// It is let in no more.
    Revoked,
}

crate::words! {
    Kind { Browser = "browser", Cli = "cli", Chat = "chat", Connector = "connector" }
    State { Pending = "pending", Approved = "approved", Rejected = "rejected", Revoked = "revoked" }
}
