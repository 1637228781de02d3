//! Sandboxes: the native driver over Linux namespaces, and the simulated one.

mod cgroup;
mod files;
mod machine;
pub mod native;
pub mod nest;
pub mod sim;

pub use machine::Machine;
pub use native::{Native, NativeConfig, Profile};
pub use nest::nest_main;
