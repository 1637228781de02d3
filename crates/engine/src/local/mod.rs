//! An engine as a process of this machine, without a sandbox: for the checks of
//! [`crate::conformance`] and for warming a fresh installation. Never for boxes.

mod model;
mod process;

pub use model::Model;
pub use process::{Process, ProcessError};
