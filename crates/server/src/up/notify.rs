//! Telling the service manager (systemd's `Type=notify`), if one listens.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::config::Env;

/// Sends a state; where nobody listens, or it cannot be reached, nothing happens.
pub(super) fn tell(env: &Env, state: &str) {
    let Some(name) = env.get("NOTIFY_SOCKET") else { return };
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
