//! Loopback ports of the box, and the door through which their descriptors leave.

pub(crate) mod listen;
pub(crate) mod names;
pub(crate) mod pass;
