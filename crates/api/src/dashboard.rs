//! The fleet on the wire: `GET /api/v1/dashboard`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smartbox_core::id::SmartboxId;
pub use smartbox_core::issue::Severity;
pub use smartbox_core::machine::{Machine, Space};
use smartbox_core::sandbox::Memory;
pub use smartbox_core::smartbox::{Desired, Kind, Reason, State};
use smartbox_core::time::Timestamp;
pub use smartbox_core::usage::Total;
use utoipa::ToSchema;

use crate::page::Page;

/// All boxes that the caller may see, as they were seen last. Looking wakes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dashboard {
    /// When this was put together.
    pub at: Timestamp,
    /// How many boxes there are, by several words.
    pub counts: Counts,
    /// How many issues are open, by severity; a severity without one is absent.
    pub issues: BTreeMap<String, u64>,
    /// How many boxes need somebody.
    pub attention: u64,
    /// The machine.
    pub machine: Machine,
    /// What model calls used since midnight, UTC.
    pub today: Total,
    /// A page of the boxes: those that need somebody first, then by name.
    pub boxes: Page<Member>,
}

/// How many boxes there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// In all.
    pub boxes: u64,
    /// By where they are.
    pub state: BTreeMap<String, u64>,
    /// By what their owners wish.
    pub desired: BTreeMap<String, u64>,
    /// By what they are for.
    pub kind: BTreeMap<String, u64>,
    /// By tier.
    pub tier: BTreeMap<String, u64>,
}

/// One box among many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DashboardBox)]
pub struct Member {
    /// Its identifier.
    pub id: SmartboxId,
    /// The name of the account that owns it.
    pub account: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its tier's name.
    pub tier: String,
    /// Where it is.
    pub state: State,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What its owner wishes.
    pub desired: Desired,
    /// What it is doing on its way, in one short phrase; empty at rest.
    pub phase: String,
    /// Whether something is going on in it.
    pub busy: bool,
    /// Whether somebody should see to it.
    pub attention: bool,
    /// The class of its failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Whether it failed too often and waits for a reset.
    pub tripped: bool,
    /// Its open issues.
    pub issues: u64,
    /// The gravest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What its engine's processes held when they were seen last.
    pub memory: Memory,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// When something needed it last.
    pub last_active: Timestamp,
}
