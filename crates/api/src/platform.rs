//! The platform's own state on the wire.

use serde::{Deserialize, Serialize};
use smartbox_core::sandbox::Capabilities;
use smartbox_core::time::Timestamp;
use utoipa::ToSchema;

/// What the platform says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlatformStatus {
    /// The version of `smartbox`.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// When it was started.
    pub started: Timestamp,
    /// Where the platform's own pages are.
    pub url: String,
    /// The data directory.
    pub data_dir: String,
    /// The account that the caller acts for.
    pub account: String,
    /// What the runtime can do on this machine.
    pub runtime: Capabilities,
    /// The engine of new boxes.
    pub engine: EngineView,
    /// Model providers that have what they need, by name; `demo` is always there.
    pub models: Vec<String>,
    /// What is missing for real answers, in plain words; empty if nothing is.
    pub missing: Vec<String>,
    /// `never`, or how long a box is idle before it sleeps, like `10m`.
    pub sleep_after: String,
    /// How many boxes are in which state.
    pub boxes: Boxes,
}

/// An engine by name and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EngineView {
    /// Its name.
    pub name: String,
    /// Its pinned version.
    pub version: String,
}

/// How many boxes are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = BoxCounts)]
pub struct Boxes {
    /// No sandbox.
    pub stopped: u32,
    /// On their way.
    pub starting: u32,
    /// Awake.
    pub running: u32,
    /// Frozen.
    pub frozen: u32,
    /// Failed.
    pub failed: u32,
}

/// The reply of `/health` and `/ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`, or `draining`.
    pub status: String,
}
