//! The engine room over simulated sandboxes: one binary.

#![expect(clippy::unwrap_used, unreachable_pub, reason = "helpers of one test binary")]

mod accounts;
mod bulk;
mod bulk_config;
mod config;
mod configs;
mod copies;
mod doors;
mod egress;
mod engine;
mod exec;
mod files;
mod fixtures;
mod health;
mod jobs;
mod kinds;
mod lifecycle;
mod messages;
mod moves;
mod routes;
mod snapshots;
mod standins;
mod steps;
mod tiers;
mod world;
