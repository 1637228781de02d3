//! An issue: something that somebody should see to, with how grave it is and what to do.
//!
//! It is opened by what happens, counted while it goes on happening, and resolved when its cause is
//! gone. Of one key there is at most one open issue.

pub mod port;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{AccountId, IssueId, SmartboxId};
use crate::time::Timestamp;

/// How long a resolved issue is kept.
pub const KEPT: Duration = Duration::from_hours(30 * 24);
/// The most resolved issues that are kept; the oldest go first.
pub const MOST: u32 = 10_000;

/// Something that somebody should see to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Issue {
    /// Its identifier.
    pub id: IssueId,
    /// Whose it is; none for one of the machine or of the platform.
    pub account: Option<AccountId>,
    /// Which box has it, if one.
    pub smartbox: Option<SmartboxId>,
    /// What it is about.
    pub kind: Kind,
    /// How grave it is.
    pub severity: Severity,
    /// Two with one key are the same issue: its kind and what it is about.
    pub key: String,
    /// One sentence for a person.
    pub message: String,
    /// What the person can do.
    pub hint: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened first.
    pub first: Timestamp,
    /// When it happened last.
    pub last: Timestamp,
    /// When its cause was gone, or a person said so.
    pub resolved: Option<Timestamp>,
}

/// What an issue is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schema(as = IssueKind)]
pub enum Kind {
    /// A box failed; it is tried again.
    BoxFailed,
    /// A box failed too often; it is not tried again.
    BreakerOpen,
    /// The engine refused its configuration and runs with the last that worked.
    ConfigRefused,
    /// The engine hit the memory limit of its tier.
    MemoryLimit,
    /// The home of a box is full.
    HomeFull,
    /// A provider of models refuses the key, or there is none.
    ProviderKey,
    /// The disk of the machine is nearly full.
    DiskLow,
    /// The memory of the machine is nearly used up.
    MemoryLow,
    /// A box sends far more than it usually does, or all that it may.
    EgressVolume,
    /// A box asks for one host after the other that it may not reach.
    EgressRefused,
    /// A running box's newest snapshot is much older than its objective.
    SnapshotLate,
    /// A snapshot that should have been taken before something else was not.
    SnapshotFailed,
    /// A snapshot was read back and is not what was written.
    SnapshotDamaged,
    /// A restore drill did not pass.
    DrillFailed,
}

/// How grave an issue is. The order is that of listings.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something does not work and will not by itself.
    Critical,
    /// Something does not work now.
    High,
    /// Something works less well than it should.
    Medium,
    /// Worth knowing.
    Low,
}

crate::words! {
    Kind {
        BoxFailed = "box-failed", BreakerOpen = "breaker-open", ConfigRefused = "config-refused",
        MemoryLimit = "memory-limit", HomeFull = "home-full", ProviderKey = "provider-key",
        DiskLow = "disk-low", MemoryLow = "memory-low",
        EgressVolume = "egress-volume", EgressRefused = "egress-refused",
        SnapshotLate = "snapshot-late", SnapshotFailed = "snapshot-failed",
        SnapshotDamaged = "snapshot-damaged", DrillFailed = "drill-failed",
    }
    Severity { Critical = "critical", High = "high", Medium = "medium", Low = "low" }
}

impl Kind {
    /// How grave it is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::BreakerOpen | Self::DiskLow | Self::SnapshotDamaged => Severity::Critical,
            Self::BoxFailed
            | Self::HomeFull
            | Self::ProviderKey
            | Self::MemoryLow
            | Self::EgressVolume
            | Self::SnapshotLate
            | Self::SnapshotFailed
            | Self::DrillFailed => Severity::High,
            Self::ConfigRefused | Self::MemoryLimit | Self::EgressRefused => Severity::Medium,
        }
    }
}

/// The key of an issue: its kind and what it is about (a box, a provider of an account, nothing).
pub fn key(kind: Kind, about: &str) -> String {
    if about.is_empty() { kind.to_string() } else { format!("{kind}:{about}") }
}

/// Which issues are meant. Empty means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this account alone: neither another's nor those of the machine.
    pub account: Option<AccountId>,
    /// Of this box.
    pub smartbox: Option<SmartboxId>,
    /// Open ones (`true`) or resolved ones.
    pub open: Option<bool>,
    /// Of this severity.
    pub severity: Option<Severity>,
}

impl Filter {
    /// Whether an issue is among those that are meant.
    pub fn admits(&self, issue: &Issue) -> bool {
        self.account.as_ref().is_none_or(|id| issue.account.as_ref() == Some(id))
            && self.smartbox.as_ref().is_none_or(|id| issue.smartbox.as_ref() == Some(id))
            && self.open.is_none_or(|open| issue.resolved.is_none() == open)
            && self.severity.is_none_or(|severity| issue.severity == severity)
    }
}

/// How many issues of one box (or of none) and one severity are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which box.
    pub smartbox: Option<SmartboxId>,
    /// How grave.
    pub severity: Severity,
    /// How many.
    pub open: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_and_about_whom() {
        assert_eq!(key(Kind::DiskLow, ""), "disk-low");
        assert_eq!(key(Kind::BoxFailed, "box_1"), "box-failed:box_1");
    }

    #[test]
    fn the_grave_come_first() {
        assert!(Severity::Critical < Severity::Low);
        assert_eq!(Kind::parse("breaker-open").map(Kind::severity), Some(Severity::Critical));
    }
}
