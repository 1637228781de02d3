//! What keeps the counts. Asked for each request, so it should be near; a driver that shares them
//! among several control planes may count here and compare notes there.

use std::time::Duration;

use super::{Class, Client, Key};
use crate::BoxFuture;

/// Keeps counts. What it cannot do it lets pass: limits protect, they do not admit.
pub trait Meter: Send + Sync {
    /// Takes one of a class for a key, or says how long to wait. A refusal costs nothing.
    fn take(&self, class: Class, key: Key) -> BoxFuture<'_, Result<(), Duration>>;

    /// A client sent a wrong token, ticket or code.
    fn strike(&self, client: Client) -> BoxFuture<'_, ()>;

    /// How long a client has to wait before what it sends is compared with anything.
    fn barred(&self, client: Client) -> BoxFuture<'_, Option<Duration>>;
}
