//! Rules as they are kept, and the account of what left.

use crate::id::{AccountId, EgressRuleId, SmartboxId};
use crate::sandbox::Program;
use crate::time::Timestamp;

use super::{Refusal, Rule};

/// Whose rule it is: it counts for every box of the account, or for one box.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// For every box of one account.
    Account(AccountId),
    /// For one box.
    Smartbox(SmartboxId),
}

impl Scope {
    /// The id in it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Account(id) => id.as_str(),
            Self::Smartbox(id) => id.as_str(),
        }
    }
}

/// What a kept rule does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = EgressEffect)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It refuses, whoever else allows.
    Deny,
}

crate::words! {
    Effect { Allow = "allow", Deny = "deny" }
}

/// What a kept rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These hosts.
    Rule(Rule),
    /// A list of rules in a data file, by its name: what is in it then counts.
    Preset(String),
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: EgressRuleId,
    /// Whose it is.
    pub scope: Scope,
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub what: What,
    /// When it ends, if it does.
    pub until: Option<Timestamp>,
    /// For one connection only.
    pub once: bool,
    /// When it was added.
    pub added: Timestamp,
}

/// What one box did with one host and port on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Which box.
    pub smartbox: SmartboxId,
    /// The beginning of the day, UTC.
    pub day: Timestamp,
    /// The host, printable.
    pub host: String,
    /// The port; 0 if there was none: a question about the host's name, or nothing that could be read.
    pub port: u16,
    /// Connections and requests that were let out.
    pub opened: u64,
    /// Bytes to the host.
    pub up: u64,
    /// Bytes from the host.
    pub down: u64,
    /// How often it was refused.
    pub refused: u64,
    /// Why it was refused last.
    pub why: Option<Refusal>,
    /// The secrets that went there by placeholder, by name, in order; the first of them.
    pub secrets: Vec<String>,
    /// Which program asked last, as it calls itself, where that is known.
    pub by: Option<Program>,
    /// When something happened last.
    pub last: Timestamp,
}

/// The beginning of the day, UTC, that a time is in.
pub fn day(at: Timestamp) -> Timestamp {
    Timestamp(at.0.saturating_sub(at.0.rem_euclid(86_400_000)))
}

/// Names of secrets that are kept of one host and day.
pub const MOST_SECRETS: usize = 20;

impl Use {
    /// A secret went there.
    pub fn sent(&mut self, name: &str) {
        if let Err(at) = self.secrets.binary_search_by(|known| known.as_str().cmp(name)) {
            self.secrets.insert(at, name.to_owned());
            self.secrets.truncate(MOST_SECRETS);
        }
    }

    /// Adds what happened later.
    pub fn add(&mut self, other: &Self) {
        self.opened = self.opened.saturating_add(other.opened);
        self.up = self.up.saturating_add(other.up);
        self.down = self.down.saturating_add(other.down);
        self.refused = self.refused.saturating_add(other.refused);
        self.why = other.why.or(self.why);
        for name in &other.secrets {
            self.sent(name);
        }
        self.by = other.by.clone().or_else(|| self.by.take());
        self.last = self.last.max(other.last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_day() {
        assert_eq!(day(Timestamp(86_400_001)), Timestamp(86_400_000));
        assert_eq!(day(Timestamp(-1)), Timestamp(-86_400_000));
        for end in [i64::MIN, i64::MAX] {
            let _ = day(Timestamp(end));
        }
    }
}
