//! The TCP listener.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::error::BootError;

/// A bound listener. Who connects before the platform is ready waits in its backlog.
pub(super) struct Tcp {
    pub(super) listener: TcpListener,
    address: SocketAddr,
}

impl Tcp {
    /// The port that it has; for port 0 the one that was free.
    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

pub(super) async fn bind(address: SocketAddr) -> Result<Tcp, BootError> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::AddrInUse => BootError::Taken { address },
        _ => BootError::Listen { address, source },
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Tcp { listener, address })
}
