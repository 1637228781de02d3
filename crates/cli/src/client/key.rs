//! The key of this command line, by which a platform knows it: it never leaves this machine.

use ed25519_dalek::SigningKey;
use smartbox_api::dpop::{self, Claims};
use smartbox_core::device::{DeviceId, PublicKey};
use smartbox_core::id::{Entropy, random_text};
use smartbox_core::time::Clock;
use smartbox_server::system::{SystemClock, SystemEntropy};

use crate::error::CliError;

/// A key. Its `Debug` shows nothing of the private half.
pub(crate) struct Key(SigningKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id().short())
    }
}

impl Key {
    /// A new one.
    pub(crate) fn new() -> Self {
        let mut seed = [0; 32];
        SystemEntropy.fill(&mut seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// As it stands in the file of contexts.
    pub(crate) fn written(&self) -> String {
        hex::encode(self.0.to_bytes())
    }

    /// Reads that.
    pub(crate) fn read(text: &str) -> Result<Self, CliError> {
        let mut seed = [0; 32];
        hex::decode_to_slice(text, &mut seed).map_err(|_| {
            let hint = "`smartbox login` makes a new one";
            CliError::here("the key of a context is not understood", hint)
        })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    pub(crate) fn public(&self) -> PublicKey {
        dpop::public(&self.0)
    }

    /// Which device this is.
    pub(crate) fn id(&self) -> DeviceId {
        DeviceId::of(&self.public())
    }

    /// A proof for one request, now.
    pub(crate) fn proof(
        &self,
        method: &str,
        address: &str,
        token: Option<&str>,
        nonce: Option<&str>,
    ) -> String {
        let claims = Claims {
            jti: random_text(&SystemEntropy, 26),
            htm: method.to_owned(),
            htu: address.to_owned(),
            iat: SystemClock.now().0 / 1000,
            ath: token.map(dpop::token_hash),
            nonce: nonce.map(str::to_owned),
        };
        dpop::sign(&self.0, &claims)
    }
}
