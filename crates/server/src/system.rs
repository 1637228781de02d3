//! The system's own clock, randomness and trust: where they come into the house.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use smartbox_core::id::Entropy;
use smartbox_core::time::{Clock, Timestamp};

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

/// Where Linux distributions keep the certificates that the machine trusts, in one file.
const ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates that the machine trusts, in PEM; nothing on a machine that has none. As for most
/// programs, `SSL_CERT_FILE` names another file.
pub(crate) fn roots() -> Bytes {
    let named = std::env::var_os("SSL_CERT_FILE").and_then(|path| std::fs::read(path).ok());
    let found = named.or_else(|| ROOTS.iter().find_map(|path| std::fs::read(path).ok()));
    if found.is_none() {
        tracing::warn!("this machine has no file of trusted certificates: install ca-certificates");
    }
    found.unwrap_or_default().into()
}
