//! The audit on the wire: lines, of which the last vouches for those before.

use serde::{Deserialize, Serialize};
use smartbox_core::audit::{Act, Entry, Head, by, who};
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

/// The media type of an export.
pub const LINES: &str = "application/x-ndjson";

/// Which part of an account's audit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct AuditQuery {
    /// What comes after the entry with this number; everything if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The last so many entries alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
}

/// A line of an audit: where it begins, entries in their order, and the signed end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum AuditLine {
    /// The first line.
    Begin(AuditBegin),
    /// One entry.
    Entry(AuditEntry),
    /// The last line.
    Head(AuditHead),
}

/// Where it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditBegin {
    /// The form of the lines and of what is hashed: 1.
    pub version: u32,
    /// Whose it is.
    pub account: AccountId,
    /// The number of the entry before the first line.
    pub after: u64,
    /// Its hash; 64 zeros if there is none.
    pub hash: String,
}

/// Who did what to which box, from where, with which result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// 1, 2, 3, … within the account.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who acted: `person:…`, `token:…`, `cli:uid=…`, `master-token`, `platform`, …
    pub actor: String,
    /// From which address; absent if not by the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What, as `noun.verb`.
    pub action: String,
    /// Whether it was done or refused.
    pub result: AuditResult,
    /// To which box, if one.
    #[serde(rename = "box", default, skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<SmartboxId>,
    /// What else tells the story.
    pub detail: String,
    /// SHA-256 over the hash before and this entry, lower-case hex.
    pub hash: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuditResult {
    /// It was done.
    Done,
    /// It was asked for, and refused.
    Refused,
}

/// The signed end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// The number of the last entry.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// Ed25519, lower-case hex.
    pub signature: String,
    /// The platform's public key, lower-case hex.
    pub key: String,
}

impl From<Entry> for AuditEntry {
    fn from(Entry { seq, act, hash }: Entry) -> Self {
        let (actor, from) = who(&act.actor);
        Self {
            seq,
            at: act.at,
            actor: actor.to_owned(),
            from: from.map(str::to_owned),
            result: if act.done() { AuditResult::Done } else { AuditResult::Refused },
            action: act.action,
            smartbox: act.smartbox,
            detail: act.detail,
            hash,
        }
    }
}

impl AuditEntry {
    /// The entry of this account's chain; `None` if no platform writes one like it.
    pub fn entry(self, account: &AccountId) -> Option<Entry> {
        let from = self.from.map(|from| from.parse().ok());
        let act = Act {
            account: account.clone(),
            actor: match from {
                Some(from) => by(&self.actor, Some(from?)),
                None => self.actor,
            },
            action: self.action,
            smartbox: self.smartbox,
            detail: self.detail,
            at: self.at,
        };
        let done = self.result == AuditResult::Done;
        (act.done() == done).then_some(Entry { seq: self.seq, act, hash: self.hash })
    }
}

impl From<Head> for AuditHead {
    fn from(Head { seq, hash, signature, key }: Head) -> Self {
        Self { seq, hash, signature, key }
    }
}

impl From<AuditHead> for Head {
    fn from(AuditHead { seq, hash, signature, key }: AuditHead) -> Self {
        Self { seq, hash, signature, key }
    }
}
