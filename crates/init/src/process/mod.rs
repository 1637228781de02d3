//! Processes: one place starts them, one reaps them, and each belongs to a group that can be
//! killed whole.

pub(crate) mod confine;
pub(crate) mod group;
pub(crate) mod image;
pub(crate) mod oom;
mod places;
pub(crate) mod port;
pub(crate) mod reap;
pub(crate) mod signal;
pub(crate) mod spawn;
pub(crate) mod tree;

pub(crate) use group::Group;
pub(crate) use oom::OomCounter;
pub(crate) use places::Places;
pub(crate) use port::Port;
pub(crate) use reap::{Ended, Reaper};
pub(crate) use spawn::{Child, Job, Spawner};
