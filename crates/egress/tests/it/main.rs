//! The broker as a box meets it: over its proxy, with servers that tell what reached them.

#![expect(clippy::unwrap_used, unreachable_pub, reason = "helpers of one test binary")]

mod attack;
mod by;
mod limits;
mod names;
mod open;
mod pass;
mod secrets;
mod tls;
mod world;
