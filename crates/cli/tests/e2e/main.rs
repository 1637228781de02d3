//! The product as a person uses it: the real binary, the real engine, a real browser.
//!
//! One test, in chapters that share one booted box, because a boot takes ten seconds of a processor.
//! `SMARTBOX_TEST_ENGINE` names the directory with the installed engine; without it the chapters with the
//! real engine fail and say how to install it, for a check that was skipped must not look like one that passed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "helpers of one test binary, which tells what it does"
)]

mod api;
mod arrivals;
mod browser;
mod bulk;
mod canary;
mod chaos;
mod configs;
mod devices;
mod egress;
mod from_bucket;
mod hostile;
mod login;
mod logs;
mod moto;
mod names;
mod observe;
mod old;
mod original;
mod platform;
mod provider;
mod recovery;
mod secrets;
mod service;
mod siblings;
mod snapshots;
mod ssh;
mod story;
mod terminal;
mod trust;
mod unboxed;
mod upload;
mod walls;

use std::time::{Duration, Instant};

/// Waits until `look` finds something.
pub async fn until<T>(within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {within:?} in vain");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
