//! The platform as one process: boot, config, HTTP API, pages.
//!
//! `boot.rs` is the only file that names concrete drivers.

pub mod access;
pub mod app;
pub mod config;
pub mod http;
pub mod models;
pub mod site;
