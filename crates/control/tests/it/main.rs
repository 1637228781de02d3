//! The engine room over simulated sandboxes: one binary.

#![expect(unreachable_pub, reason = "modules of one test binary")]

mod engine;
mod lifecycle;
mod messages;
mod world;
