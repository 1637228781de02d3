//! The engine room over simulated sandboxes: one binary.

#![expect(clippy::unwrap_used, unreachable_pub, reason = "helpers of one test binary")]

mod engine;
mod exec;
mod jobs;
mod lifecycle;
mod messages;
mod routes;
mod steps;
mod world;
