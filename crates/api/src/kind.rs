//! Kinds on the wire.

use serde::{Deserialize, Serialize};
pub use smartbox_core::kind::{Base, Kind};
use utoipa::ToSchema;

/// A kind: a template that smartboxes are made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KindView {
    /// Its name.
    pub name: Kind,
    /// What the platform makes of it.
    pub base: Base,
    /// One line for whoever chooses.
    pub description: String,
    /// Something that the owner of such a smartbox should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// The tier of smartboxes that ask for none; the configured default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Hosts that it wants to reach. Kept and shown; nothing is enforced or opened by it yet.
    pub egress: Vec<String>,
    /// Tools that it wants to use. Kept and shown; nothing is enforced or opened by it yet.
    pub tools: Vec<String>,
    /// Files that a new smartbox finds in its workspace.
    pub files: Vec<String>,
    /// What the engine's configuration of a new smartbox begins with.
    #[schema(value_type = Object)]
    pub settings: serde_json::Value,
    /// From the owner's `kinds` directory, not from the platform.
    pub own: bool,
}
