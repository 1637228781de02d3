//! Sign-in against issuers on this machine: ours, which lie on demand, and real ones.

#![expect(clippy::unwrap_used, unreachable_pub, reason = "helpers of one test binary")]

mod access;
mod forged;
mod issuer;
mod mutated;
mod outage;
mod peers;
mod provider;
#[path = "../peers/mod.rs"]
mod real;
mod refusals;
