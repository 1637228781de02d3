//! The system's own clock, randomness and trust: where they come into the house.

use std::time::{SystemTime, UNIX_EPOCH};

use smartbox_control::Trust;
use smartbox_core::id::Entropy;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_egress::Roots;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody takes")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        if let Err(error) = getrandom::fill(out) {
            // Predictable tokens would be worse than none.
            tracing::error!(%error, "the system gives no randomness");
            std::process::abort();
        }
    }
}

/// Whom the machine trusts; nobody on a machine that has no such file.
pub(crate) fn trust() -> Trust {
    let roots = Roots::of_this_machine();
    if roots.is_empty() {
        tracing::warn!("this machine has no file of trusted certificates: install ca-certificates");
    }
    Trust { all: roots.pem().into(), private: roots.private_pem() }
}
