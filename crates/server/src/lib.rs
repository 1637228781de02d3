//! The platform as one process: boot, config, HTTP API, pages.
//!
//! `boot.rs` is the only file that names concrete drivers.

pub mod access;
pub mod app;
pub mod audit;
mod boot;
pub mod buckets;
pub mod config;
pub mod denials;
pub mod given;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod models;
mod recent;
pub mod sign_in;
pub mod site;
pub mod system;
pub mod tls;
pub mod traces;
pub mod up;

pub use boot::{TrySnapshots, detect, install_engine, try_snapshots};
pub use sign_in::try_sign_in;
pub use up::{BootError, Event, Ready, UpOptions, exposure, up};
