//! Smartboxes on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::issue::Issue;
pub use smartbox_core::labels::Labels;
use smartbox_core::machine::HomeUse;
use smartbox_core::sandbox::{EngineProcess, Limits, Memory, Phase};
pub use smartbox_core::smartbox::{Base, Desired, Failure, Kind, Rest, State, Vitals};
use smartbox_core::time::Timestamp;
pub use smartbox_core::usage::Total;
use utoipa::{IntoParams, ToSchema};

/// A smartbox as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SmartboxView {
    /// Its identifier, for ever.
    pub id: SmartboxId,
    /// Its name, unique in the account, for ever.
    pub name: String,
    /// Whose it is.
    pub account: AccountId,
    /// What people call it; empty if nobody said.
    #[serde(default)]
    pub display_name: String,
    /// What its owner sorts it by.
    #[serde(default)]
    pub labels: Labels,
    /// The kind that it was made from.
    pub kind: Kind,
    /// What the platform makes of that kind.
    pub base: Base,
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
    /// The tier that its sandbox has, or had last; a change of tier takes effect at the next start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_tier: Option<String>,
    /// When it sleeps if it is `auto`.
    pub sleep: SleepView,
    /// Its engine's name.
    pub engine: String,
    /// The version of that engine which is installed, and which it runs from its next start on.
    #[serde(default)]
    pub engine_version: String,
    /// Rises with every change of what its owner decides.
    pub revision: u64,
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
    /// How it has been doing: since when it is in its state, its last start, its last end, the breaker.
    #[serde(default)]
    pub vitals: Vitals,
    /// Its limits; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What its home holds; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<HomeUse>,
    /// Its open issues; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issues: Option<Vec<Issue>>,
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

/// When a smartbox that is `auto` sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SleepView {
    /// Idle for so many milliseconds: frozen.
    pub freeze_after_ms: u64,
    /// Idle for so many milliseconds: stopped.
    pub stop_after_ms: u64,
    /// Its owner decided on one of them; else they are the platform's.
    pub own: bool,
}

/// Which smartboxes of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct BoxesQuery {
    /// Those of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Those in this state.
    #[param(inline)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Those with these labels: `team=support`, several with commas between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// For operators: those of this account, by name or id; `*` for every account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How many things at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
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
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What to sort it by.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// The kind to make it from; `custom` if absent.
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
    /// The address of a git repository to clone into its workspace, by HTTPS or SSH. Its
    /// host is allowed to the box; the box's commands tell how it went. Who must sign in binds a
    /// secret first: `PUT /api/v1/secrets/{name}/bindings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
}

/// A change of what an owner decides of a smartbox; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BoxChange {
    /// What people call it; empty to have its name again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Labels to set by their key, and with `null` to remove.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
    /// Its tier. A sandbox that is there keeps its limits until the next start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// What its owner wishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired: Option<Desired>,
    /// Idle for so long it is frozen, if it is `auto`: a time like `10m`, or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sleep_after: Option<String>,
    /// Idle for so long it is stopped, if it is `auto`: a time like `7d`, or `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_after: Option<String>,
}

/// How a smartbox is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct RemoveBox {
    /// With all of its snapshots, for good.
    pub purge: bool,
    /// Without a last snapshot, if none can be taken.
    pub force: bool,
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
    /// `restart` only: the reply is a job (202) instead of the box, and nothing is waited for.
    #[serde(rename = "async", skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
}

/// The longest that a reply is held back, in milliseconds.
pub const MAX_WAIT_MS: u64 = 600_000;
