//! Proofs of possession: whether one is for exactly this request, new, and not seen before.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use smartbox_api::dpop::{Proof, token_hash};
use smartbox_core::time::Timestamp;

/// How old a proof may be, and how far in the future by a clock that is ahead, in milliseconds.
const PAST: i64 = 60_000;
const FUTURE: i64 = 10_000;
/// Proofs that are remembered at the most: some minutes of a busy installation in a few megabytes.
const REMEMBERED: usize = 100_000;
/// No `jti` is longer.
const LONGEST: usize = 256;

/// What a proof has to be for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The method.
    pub method: &'a str,
    /// The address, without its query.
    pub address: &'a str,
    /// The token that came with it.
    pub token: Option<&'a str>,
}

/// Why a proof is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// Not in form, or not signed by the key in it.
    #[error("the DPoP proof is not one, or not signed by its key")]
    Unsigned,
    /// For another method, address or token.
    #[error("the DPoP proof is for another request")]
    Other,
    /// Too old, or from the future.
    #[error("the DPoP proof was not made just now: compare the clocks")]
    Stale,
    /// It was here before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// Nothing more can be remembered for a moment.
    #[error("too many proofs came within a minute")]
    Flooded,
}

/// Proofs that were here, until they are too old anyway. What has no place is refused, never let through.
#[derive(Debug, Default)]
pub struct Proofs {
    seen: Mutex<HashMap<[u8; 32], i64>>,
}

impl Proofs {
    /// Whether a proof is for this, and here for the first time.
    pub fn check(&self, proof: &Proof, of: &Wanted<'_>, now: Timestamp) -> Result<(), Unproven> {
        let claims = &proof.claims;
        let hash = of.token.map(token_hash);
        let same = claims.htm == of.method && claims.htu == of.address && claims.ath == hash;
        if !same || claims.jti.is_empty() || claims.jti.len() > LONGEST {
            return Err(Unproven::Other);
        }
        let made = claims.iat.saturating_mul(1000);
        if made < now.0.saturating_sub(PAST) || made > now.0.saturating_add(FUTURE) {
            return Err(Unproven::Stale);
        }
        let mut hasher = Sha256::new();
        hasher.update(proof.key.0);
        hasher.update(claims.jti.as_bytes());
        let id: [u8; 32] = hasher.finalize().into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains_key(&id) {
            return Err(Unproven::Replayed);
        }
        if seen.len() >= REMEMBERED {
            // A second too long rather than too short.
            seen.retain(|_, made| *made >= now.0.saturating_sub(PAST + 1000));
        }
        if seen.len() >= REMEMBERED {
            return Err(Unproven::Flooded);
        }
        seen.insert(id, made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smartbox_api::dpop::Claims;
    use smartbox_core::device::PublicKey;

    const NOW: Timestamp = Timestamp(1_000_000_000);
    const WANTED: Wanted<'_> =
        Wanted { method: "GET", address: "http://h/x", token: Some("token") };

    fn proof(jti: &str) -> Proof {
        let claims = Claims {
            jti: jti.into(),
            htm: "GET".into(),
            htu: "http://h/x".into(),
            iat: NOW.0 / 1000,
            ath: Some(token_hash("token")),
            nonce: None,
        };
        Proof { key: PublicKey([1; 32]), claims }
    }

    #[test]
    fn a_proof_is_good_once_and_for_its_request_alone() {
        let proofs = Proofs::default();
        assert_eq!(proofs.check(&proof("a"), &WANTED, NOW), Ok(()));
        assert_eq!(proofs.check(&proof("a"), &WANTED, NOW), Err(Unproven::Replayed));
        let another = Proof { key: PublicKey([2; 32]), ..proof("a") };
        assert_eq!(proofs.check(&another, &WANTED, NOW), Ok(()), "keys do not disturb one another");
        for bad in [
            Wanted { method: "POST", ..WANTED },
            Wanted { address: "http://h/y", ..WANTED },
            Wanted { address: "http://other/x", ..WANTED },
            Wanted { token: Some("other"), ..WANTED },
            Wanted { token: None, ..WANTED },
        ] {
            assert_eq!(proofs.check(&proof("b"), &bad, NOW), Err(Unproven::Other), "{bad:?}");
        }
        for jti in [String::new(), "j".repeat(LONGEST + 1)] {
            assert_eq!(proofs.check(&proof(&jti), &WANTED, NOW), Err(Unproven::Other));
        }
    }

    #[test]
    fn a_proof_is_good_for_a_minute() {
        let proofs = Proofs::default();
        let at = |ms| Timestamp(NOW.0 + ms);
        assert_eq!(proofs.check(&proof("a"), &WANTED, at(PAST)), Ok(()));
        assert_eq!(proofs.check(&proof("b"), &WANTED, at(PAST + 1)), Err(Unproven::Stale));
        assert_eq!(proofs.check(&proof("c"), &WANTED, at(-FUTURE)), Ok(()));
        assert_eq!(proofs.check(&proof("d"), &WANTED, at(-FUTURE - 1)), Err(Unproven::Stale));
        let mut ever = proof("e");
        ever.claims.iat = i64::MAX;
        assert_eq!(proofs.check(&ever, &WANTED, NOW), Err(Unproven::Stale));
        ever.claims.iat = i64::MIN;
        assert_eq!(proofs.check(&ever, &WANTED, NOW), Err(Unproven::Stale));
    }

    #[test]
    fn a_flood_is_refused_and_passes() {
        let proofs = Proofs::default();
        for n in 0..REMEMBERED {
            assert_eq!(proofs.check(&proof(&n.to_string()), &WANTED, NOW), Ok(()));
        }
        assert_eq!(proofs.check(&proof("one more"), &WANTED, NOW), Err(Unproven::Flooded));
        assert_eq!(proofs.check(&proof("0"), &WANTED, NOW), Err(Unproven::Replayed));
        let later = Timestamp(NOW.0 + PAST + 2000);
        let mut fresh = proof("fresh");
        fresh.claims.iat = later.0 / 1000;
        assert_eq!(proofs.check(&fresh, &WANTED, later), Ok(()));
    }
}
