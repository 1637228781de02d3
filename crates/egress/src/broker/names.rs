//! Looking names up. Only what a policy allows gets here, so that no name carries anything out.

use std::io;
use std::net::IpAddr;

use smartbox_core::BoxFuture;
use smartbox_core::egress::HostName;

/// Looks names up.
pub trait Names: Send + Sync {
    /// The addresses of a name, in the order in which they should be tried.
    fn lookup<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn lookup<'a>(&'a self, name: &'a HostName) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            // With the dot at its end the name is whole: the machine's search domains are not for boxes.
            let whole = format!("{name}.");
            let found = tokio::net::lookup_host((whole.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
