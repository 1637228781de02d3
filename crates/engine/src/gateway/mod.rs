//! The engine's wire: HTTP probes and WebSocket frames over a connection that somebody else dialled.
//!
//! The other end is the box: whatever it says is hostile input. Every answer has a size limit, every
//! wait a deadline.

pub(crate) mod http;
pub(crate) mod loose;
pub(crate) mod socket;
pub(crate) mod wire;

use smartbox_core::engine::port::EngineError;
use smartbox_core::sandbox::port::{Conn, Dial, RuntimeError};
use tokio::time::timeout;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

use std::time::Duration;

/// How long a connection may take: a frozen or overloaded box accepts late or never.
const DIAL: Duration = Duration::from_secs(10);

/// Connects to a port of the box.
pub(crate) async fn dial(dial: &dyn Dial, port: u16) -> Result<Compat<Conn>, EngineError> {
    match timeout(DIAL, dial.dial(port)).await {
        Ok(Ok(conn)) => Ok(conn.compat()),
        Ok(Err(error)) => Err(EngineError::Unreachable(error)),
        Err(_) => Err(silent("it does not take the connection")),
    }
}

/// The engine is there and says nothing.
pub(crate) fn silent(why: &str) -> EngineError {
    EngineError::NotReady { why: why.into(), retry_after_ms: 1_000 }
}

/// Whether the error means that nothing listens on the port.
pub(crate) fn nobody_listens(error: &EngineError) -> bool {
    matches!(error, EngineError::Unreachable(RuntimeError::Refused { .. }))
}

pub(crate) fn garbled(what: impl Into<String>) -> EngineError {
    EngineError::Garbled { what: what.into() }
}
