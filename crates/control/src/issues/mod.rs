//! Issues: opened by what the engine room sees, resolved when the cause is gone.

mod look;
mod raise;
mod watch;

pub use raise::Cause;
pub(crate) use raise::Open;
