//! Everything that goes out of a sandbox but model calls.
//!
//! A box has no network. What wants out speaks to an HTTP proxy on its loopback, and that is carried
//! to the [`Broker`], which dials for it what the box's policy allows and nothing else. What is
//! absent: the rules (they are `core::egress`), and where they are kept.
//!
//! [`placeholder`], [`swap`] and [`scrub`] are for secrets that a box has only stand-ins for. They do no
//! I/O: the broker gives them heads and pieces of bodies. [`forms`] is what both directions recognise.

mod broker;
pub mod forms;
pub mod placeholder;
mod roots;
pub mod scrub;
pub mod swap;

pub use broker::{Broker, Limits, Names, Parts, SystemNames};
pub use roots::Roots;
