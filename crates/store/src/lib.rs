//! Records: what the platform must not forget.
//!
//! [`sqlite`] keeps them in one file, [`memory`] in memory with faults on demand for tests; both
//! pass one conformance suite. [`keys`] is the master key's file. What is absent: rules about
//! smartboxes (`core`), deciding what to write (`control`), and the lock that keeps two control
//! planes off one data directory (the server's boot); the fence here is the second line.

mod chain;
pub mod keys;
pub mod memory;
mod release;
mod seal;
pub mod sqlite;

pub use chain::Given;
pub use keys::{Keys, KeysError};
pub use memory::Memory;
pub use release::Released;
pub use sqlite::{OpenError, Sqlite};
