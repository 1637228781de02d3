//! Which device: the fingerprint of its key, and the key.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::id::Entropy;

/// A device: SHA-256 of its public key, 64 hexadecimal digits. The engine names devices so, too.
/// Another key is another device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(String);

/// The text is no identifier of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not a device: 64 digits of 0-9 and a-f")]
pub struct BadDevice;

impl DeviceId {
    /// Of the device with this key.
    pub fn of(key: &PublicKey) -> Self {
        Self(hex::encode(Sha256::digest(key.0)))
    }

    /// Of one that cannot keep a key: chance stands in for it.
    pub fn keyless(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its beginning, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for DeviceId {
    type Error = BadDevice;
    fn try_from(text: String) -> Result<Self, BadDevice> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(digit) { Ok(Self(text)) } else { Err(BadDevice) }
    }
}

impl std::str::FromStr for DeviceId {
    type Err = BadDevice;
    fn from_str(text: &str) -> Result<Self, BadDevice> {
        Self::try_from(text.to_owned())
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl utoipa::PartialSchema for DeviceId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("SHA-256 of the device's public key."))
            .pattern(Some("^[0-9a-f]{64}$"))
            .into()
    }
}

impl utoipa::ToSchema for DeviceId {}

/// An Ed25519 public key, as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// As it stands in records.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads that.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).ok()?;
        Some(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_by_its_key() {
        let (one, other) = (PublicKey([1; 32]), PublicKey([2; 32]));
        let id = DeviceId::of(&one);
        // `printf '\x01%.0s' {1..32} | sha256sum`
        assert_eq!(id.as_str(), "72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793");
        assert_ne!(id, DeviceId::of(&other));
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(PublicKey::from_hex(&one.to_hex()), Some(one));
        for bad in ["", "72cd", &id.as_str().to_uppercase(), &format!("{}/", &id.as_str()[1..])] {
            assert_eq!(bad.parse::<DeviceId>(), Err(BadDevice), "{bad}");
        }
    }
}
