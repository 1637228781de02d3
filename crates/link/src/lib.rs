//! The link: the operations that a sandbox's init offers to the platform, and their framing.
//!
//! Locally it is HTTP/2 on a listener that the platform makes and init inherits ([`inherit`]).
//! Descriptors cannot travel over HTTP/2, so a second inherited listener hands them over ([`pass`]).
//! Both ends use the types of [`wire`] and [`frame`]. Whatever init answers is hostile input: every
//! answer is bounded by [`wire::MAX_ANSWER`].

pub mod client;
pub mod frame;
pub mod inherit;
pub mod log;
pub mod pass;
pub mod wire;

pub use client::{Link, LinkError};
