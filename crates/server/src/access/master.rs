//! The master token that the environment gives.

use sha2::{Digest, Sha256};
use smartbox_core::secret::Secret;
use subtle::ConstantTimeEq;

/// Only its hash is held.
pub struct Master([u8; 32]);

impl Master {
    /// From its value.
    pub fn new(value: &Secret<String>) -> Self {
        Self(Sha256::digest(value.expose().as_bytes()).into())
    }

    /// Whether this is it, in a time that says nothing of how near it was.
    pub fn is(&self, value: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(value.as_bytes()).into();
        self.0.ct_eq(&other).into()
    }
}
