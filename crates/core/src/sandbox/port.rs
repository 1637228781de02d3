//! What a runtime driver must do. Drivers give lifecycle and `dial`; init gives everything else.

use std::pin::Pin;
use std::sync::Arc;

use crate::id::SmartboxId;
use crate::sandbox::{Capabilities, LogPage, Observed, Program, SandboxSpec, Shift};
use crate::{BoxFuture, BoxStream};

/// A two-way byte stream.
pub trait Duplex: futures_io::AsyncRead + futures_io::AsyncWrite + Send {}
impl<T: futures_io::AsyncRead + futures_io::AsyncWrite + Send> Duplex for T {}

/// An open two-way byte stream.
pub type Conn = Pin<Box<dyn Duplex>>;

/// A connection that something in a box made.
pub struct Incoming {
    /// The connection.
    pub conn: Conn,
    /// Which program made it, where that can be told. Looked up once this is polled, beside the connection;
    /// never looked up if it is not.
    pub program: BoxFuture<'static, Option<Program>>,
}

/// Why a driver did not do what it was asked. Each variant is a different thing to do.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// There is no such sandbox: start it.
    #[error("there is no sandbox for {0}")]
    Absent(SmartboxId),
    /// A sandbox with a higher fencing token is there: someone else owns the box now.
    #[error("the sandbox of {id} belongs to a newer owner (fence {theirs}, ours {ours})")]
    Fenced {
        /// The box.
        id: SmartboxId,
        /// The fence asked for.
        ours: u64,
        /// The fence found.
        theirs: u64,
    },
    /// This machine cannot do it; the words say what is missing and what to do.
    #[error("{why}")]
    Unsupported {
        /// For a person.
        why: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Nothing listens there (yet).
    #[error("nothing answers on port {port} of {id}")]
    Refused {
        /// The box.
        id: SmartboxId,
        /// The port inside.
        port: u16,
    },
    /// The machine failed; trying again may help.
    #[error("{doing} failed")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Init's link (HTTP/2).
    Link,
    /// A TCP port on the box's loopback.
    Port(u16),
}

/// Makes and unmakes sandboxes. Every call may be repeated; the second does nothing.
pub trait Runtime: Send + Sync {
    /// What this driver can do here.
    fn capabilities(&self) -> Capabilities;
    /// Every sandbox of this installation, orphans included. Wakes nothing.
    fn list(&self) -> BoxFuture<'_, Result<Vec<Observed>, RuntimeError>>;
    /// One box's sandbox. Wakes nothing; a frozen one stays frozen.
    fn observe(&self, id: SmartboxId) -> BoxFuture<'_, Result<Observed, RuntimeError>>;
    /// Makes the sandbox and waits until init answers. One of the same fence is kept as it is,
    /// one of a lower fence is replaced, one of a higher fence is an error.
    fn start(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<(), RuntimeError>>;
    /// Freezes, thaws or removes. Removing what is absent succeeds.
    fn shift(&self, id: SmartboxId, to: Shift) -> BoxFuture<'_, Result<(), RuntimeError>>;
    /// Connects to something inside.
    fn dial(&self, id: SmartboxId, target: Target) -> BoxFuture<'_, Result<Conn, RuntimeError>>;
    /// The connections that something inside makes to one of the spec's listeners. Ends with the sandbox.
    /// Connections made while nobody holds the stream wait.
    fn incoming(
        &self,
        id: SmartboxId,
        port: u16,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Incoming>, RuntimeError>>;
    /// The box's directory on this machine: engine log and, with `Kept::Forget`, the end of home and log.
    fn kept(&self, id: SmartboxId, what: Kept) -> BoxFuture<'_, Result<LogPage, RuntimeError>>;
}

/// What outlives a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The engine's log from this offset; at most 256 KiB. Offsets hold when the log is cut: what was
    /// before is passed over. One beyond the end begins at the oldest byte that there is.
    Log {
        /// Bytes from the start of the whole log.
        from: u64,
    },
    /// The last so many bytes of the log.
    LogTail {
        /// Bytes.
        bytes: u64,
    },
    /// Removes home and logs for good. The sandbox must be absent.
    Forget,
}

/// Dials ports of one box: what an engine adapter is given.
pub trait Dial: Send + Sync {
    /// Connects to a TCP port on the box's loopback.
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>>;
}

/// A [`Dial`] for one box over a runtime.
pub struct BoxDial {
    /// The driver.
    pub runtime: Arc<dyn Runtime>,
    /// The box.
    pub id: SmartboxId,
}

impl Dial for BoxDial {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        self.runtime.dial(self.id.clone(), Target::Port(port))
    }
}
