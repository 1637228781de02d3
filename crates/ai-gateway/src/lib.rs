//! The AI gateway: how model calls leave a box.
//!
//! A box calls with its own token, which is worth nothing elsewhere; the real key is added here,
//! outside the sandbox. Bodies pass as they are, in both directions, and are read along the way
//! only as far as routing and metering need it. What is absent: translation between the vendors'
//! protocols, retries, budgets and caches.

mod call;
mod demo;
mod gateway;
mod json;
mod meter;
mod provider;
mod tls;

pub use call::limits::Limits;
pub use demo::DemoConfig;
pub use gateway::{Cause, Gateway, Parts};
pub use provider::{
    BadProvider, DEFAULT_MODEL, Protocol, ProviderConfig, Timeouts, known_providers,
};
pub use tls::{client_config, install_crypto};
