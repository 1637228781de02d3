//! What keeps the counts. Asked for each request, so it should be near; a driver that shares them
//! among several control planes may count here and compare notes there.

use std::time::Duration;

use super::{Class, Key};
use crate::BoxFuture;

/// Keeps counts. What it cannot do it lets pass: limits protect, they do not admit.
pub trait Meter: Send + Sync {
    /// Takes one of a class for a key, or says how long to wait. A refusal costs nothing.
    fn take(&self, class: Class, key: Key) -> BoxFuture<'_, Result<(), Duration>>;

    /// A client sent a wrong token, or somebody who is signed in a wrong code.
    fn strike(&self, of: Key) -> BoxFuture<'_, ()>;

    /// How long they have to wait before what they send is compared with anything.
    fn barred(&self, of: Key) -> BoxFuture<'_, Option<Duration>>;
}
