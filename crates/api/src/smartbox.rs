//! Smartboxes on the wire.

use serde::{Deserialize, Serialize};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::{EngineProcess, Memory, Phase};
pub use smartbox_core::smartbox::{Desired, Failure, Kind, Rest, State};
use smartbox_core::time::Timestamp;
pub use smartbox_core::usage::Total;
use utoipa::ToSchema;

/// A smartbox as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SmartboxView {
    /// Its identifier, for ever.
    pub id: SmartboxId,
    /// Its name, unique in the account.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Where it is.
    pub state: State,
    /// What its owner wishes.
    pub desired: Desired,
    /// Whether it sleeps and would wake on demand.
    pub asleep: bool,
    /// What it is doing on its way, in one short phrase; empty at rest.
    pub phase: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Where its own pages are.
    pub url: String,
    /// Its tier's name.
    pub tier: String,
    /// Its engine's name.
    pub engine: String,
    /// Something that its owner should know, like a refused configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Messages that wait for an answer; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// Whether something is going on in it; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<bool>,
    /// What its model calls used since it was made; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Total>,
    /// What is seen of its sandbox; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxView>,
    /// When its engine's own clock wants it awake next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Timestamp>,
    /// How often it was started.
    pub starts: u64,
    /// When something needed it last.
    pub last_active: Timestamp,
    /// When it was made.
    pub created: Timestamp,
}

/// What is seen of a sandbox now. Looking wakes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxView {
    /// Whether it is there.
    pub phase: Phase,
    /// The engine's process.
    pub engine: EngineProcess,
    /// What the engine's processes hold.
    pub memory: Memory,
}

/// A smartbox to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSmartbox {
    /// Its name: 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]
    pub name: String,
    /// What it is for; `custom` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Its tier; the configured default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Its engine; the configured one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What its owner wishes; the configured default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Desired>,
}

/// How an act on a smartbox is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Act {
    /// Milliseconds to wait for the state that was asked for, at most 600 000. Zero: the wish
    /// is recorded, and the reply shows where the box is now.
    pub wait_ms: u64,
    /// `sleep` only: stop it instead of freezing it.
    pub deep: bool,
}

/// The longest that a reply is held back, in milliseconds.
pub const MAX_WAIT_MS: u64 = 600_000;
