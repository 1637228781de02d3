//! Where a request comes from.

use std::net::IpAddr;

use http::request::Parts;

/// Who is at the other end of the connection, as the listener knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process of our own uid, on the socket in the data directory.
    Local {
        /// Its uid.
        uid: u32,
    },
    /// Someone who came by TCP.
    Tcp(std::net::SocketAddr),
}

/// Where a request comes from; `None` by the local socket.
pub(in crate::http) fn address(parts: &Parts) -> Option<IpAddr> {
    match parts.extensions.get::<Peer>() {
        Some(Peer::Tcp(peer)) => Some(peer.ip().to_canonical()),
        _ => None,
    }
}

/// Whether somebody on this very machine asks. The listener is on the loopback in dev mode; a tunnel
/// or a proxy on this machine is there too, and brings the world along.
pub(in crate::http) fn comes_from_here(parts: &Parts) -> bool {
    let local = match parts.extensions.get::<Peer>() {
        Some(Peer::Tcp(address)) => address.ip().to_canonical().is_loopback(),
        _ => false,
    };
    local && !parts.extensions.get::<smartbox_edge::Peer>().is_some_and(|peer| peer.relayed)
}
