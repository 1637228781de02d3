//! The verbs of accounts.

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod find;
pub(crate) mod remove;
