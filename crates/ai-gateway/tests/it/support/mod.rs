//! What the tests stand on: a world with one gateway in it, a box that calls, a provider that
//! answers by script.

pub(crate) mod caller;
pub(crate) mod upstream;
pub(crate) mod world;

use std::time::Duration;

/// The real key. It must never be seen by a box or in a log.
pub(crate) const KEY: &str = "sk-ant-canary-0123456789abcdef";
/// The box's token.
pub(crate) const TOKEN: &str = "box-token-1";

/// Waits for what must come, with a deadline that only a hanging test meets.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it should have come by now")
}
