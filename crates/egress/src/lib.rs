//! Everything that goes out of a sandbox but model calls.
//!
//! A box has no network. What wants out speaks to an HTTP proxy on its loopback, and that is carried
//! to the [`Broker`], which dials for it what the box's policy allows and nothing else. What is
//! absent: the rules (they are `core::egress`), and where they are kept.

mod broker;

pub use broker::{Broker, Limits, Names, Parts, SystemNames};
