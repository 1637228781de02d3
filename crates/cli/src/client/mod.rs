//! The client: turns a [`smartbox_api::call::Call`] into one HTTP request and reads its reply.
//!
//! Every call has a connection of its own: on a Unix socket it costs nothing, and ending the call
//! ends the connection, which is how the platform learns that nobody waits any more. What is
//! absent: retries: who calls knows whether asking twice is right.

mod connect;
pub(crate) mod contexts;
mod events;
mod exec;
mod file;
mod key;
mod lines;
mod pages;
mod reach;
mod send;
mod tls;
mod trust;

pub(crate) use exec::Exec;
pub(crate) use key::Key;
pub(crate) use reach::{Place, Reach, same_address, tcp};
pub(crate) use trust::{Authorities, Trust};

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use smartbox_core::secret::Secret;

/// One platform, and who we are to it.
#[derive(Debug)]
pub(crate) struct Client {
    reach: Reach,
    token: Option<Secret<String>>,
    /// What the token is bound to, if to a key.
    key: Option<Key>,
    /// The account that is acted for; that of the socket or the token if none.
    account: Option<String>,
    /// The command that starts the platform that is meant, for messages.
    start: Option<String>,
    /// Whom we believe to be the platform.
    trust: Trust,
    /// The same, once it was needed.
    tls: OnceLock<Arc<ClientConfig>>,
}
