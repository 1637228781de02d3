//! What runs inside a smartbox: the OpenClaw adapter, the manifests, the installation of the pinned
//! engine, and puppet, the pretend engine.
//!
//! What is absent: sandboxes. Everything here reaches an engine by a `Dial` that it is given.

pub mod complaint;
pub mod conformance;
mod gateway;
pub mod identity;
pub mod install;
mod local;
pub mod manifest;
pub mod openclaw;
pub mod puppet;
mod schema;
