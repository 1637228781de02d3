//! What the control room asks of the AI gateway.

use crate::BoxFuture;
use crate::model::Caller;
use crate::sandbox::port::Conn;

/// Serves the model calls of boxes.
pub trait ModelCalls: Send + Sync {
    /// Serves HTTP/1.1 on one connection that a box made, until it closes.
    fn serve(&self, caller: Caller, conn: Conn) -> BoxFuture<'static, ()>;
}
