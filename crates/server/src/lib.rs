//! The platform as one process: boot, config, HTTP API, pages.
//!
//! `boot.rs` is the only file that names concrete drivers.

pub mod config;
