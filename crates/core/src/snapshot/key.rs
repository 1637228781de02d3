//! The key of a repository: random, never derived from anything. One per box, so that a lost one
//! endangers no other.

use crate::id::Entropy;
use crate::secret::Secret;

/// The master key of one repository: 32 bytes for AES-256 in counter mode, 32 for Poly1305-AES.
#[derive(Debug, Clone)]
pub struct RepositoryKey(Secret<[u8; Self::LEN]>);

impl RepositoryKey {
    /// How many bytes it has.
    pub const LEN: usize = 64;

    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; Self::LEN];
        entropy.fill(&mut bytes);
        Self(Secret::new(bytes))
    }

    /// One that was kept.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, to seal them or to open a repository. The name is meant to be searched for.
    pub fn expose(&self) -> &[u8; Self::LEN] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_print() {
        let shown = format!("{:?}", RepositoryKey::new([0xab; 64]));
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }
}
