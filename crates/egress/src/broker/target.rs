//! Where a box wants to go, as it said.

use std::fmt;

use smartbox_core::egress::{BadHost, Host};

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl Target {
    pub(crate) fn parse(authority: &str, default: Option<u16>) -> Result<Self, BadHost> {
        let (host, port) = Host::with_port(authority, default)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
