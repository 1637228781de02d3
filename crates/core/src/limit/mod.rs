//! How often something may be done: buckets that fill by the clock, patience that wears thin, and
//! whom a count is for. All of it is arithmetic on times that the caller says.

mod bucket;
mod client;
mod strikes;

pub mod port;

pub use bucket::{BadRate, Bucket, Rate};
pub use client::Client;
pub use strikes::{Patience, Strikes};

use crate::id::AccountId;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A request of somebody who is not signed in.
    Knock,
    /// A wrong token of a stranger: all of them together.
    Guess,
    /// A page or call on a box's own host, by somebody who is signed in.
    Visit,
    /// A look at something of the platform.
    Read,
    /// A change.
    Change,
    /// What makes a box work: a command, a message.
    Run,
    /// A device that asks to be let in.
    Pair,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Knock, Self::Guess, Self::Visit, Self::Read, Self::Change, Self::Run, Self::Pair];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Knock => "knock",
            Self::Guess => "guess",
            Self::Visit => "visit",
            Self::Read => "read",
            Self::Change => "change",
            Self::Run => "run",
            Self::Pair => "pair",
        }
    }
}

/// Whom a count is for. Neither a token nor a cookie is one: what is shared must not be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// An address, or the network of one.
    Client(Client),
    /// Who is signed in, by the name that the audit has for it.
    Principal(AccountId, String),
    /// Everybody.
    All,
}

/// How often each class may be done by one key; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// By [`Class`], in the order of [`Class::ALL`].
    rates: [Option<Rate>; Class::ALL.len()],
    /// How wrong tokens of one client are borne, and wrong codes of one who is signed in.
    pub patience: Patience,
}

impl Rates {
    /// No limit of any kind.
    pub const NONE: Self = Self { rates: [None; Class::ALL.len()], patience: Patience::ENDLESS };

    /// With this limit for a class.
    #[must_use]
    pub const fn with(mut self, class: Class, rate: Option<Rate>) -> Self {
        self.rates[class as usize] = rate;
        self
    }

    /// With this patience.
    #[must_use]
    pub const fn patient(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The limit of a class.
    pub const fn of(&self, class: Class) -> Option<Rate> {
        self.rates[class as usize]
    }
}
