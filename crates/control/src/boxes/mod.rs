//! The verbs of smartboxes. Each writes a wish and wakes the keeper; none touches a sandbox.

pub(crate) mod change;
mod clone;
pub(crate) mod create;
pub(crate) mod find;
pub(crate) mod fleet;
mod reset;
mod restart;
pub(crate) mod select;
mod settle;
pub(crate) mod view;
mod wish;
