//! Proofs of possession: whether one is for exactly this request, new, and not seen before.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use smartbox_api::dpop::{Proof, token_hash};
use smartbox_core::device::DeviceId;
use smartbox_core::limit::Client;
use smartbox_core::time::Timestamp;

/// How old a proof may be, and how far in the future by a clock that is ahead, in milliseconds.
const PAST: i64 = 60_000;
const FUTURE: i64 = 10_000;
/// Proofs that are remembered at the most, in each of two tables, before those who sent many are refused:
/// some minutes of a busy installation in a few megabytes.
const REMEMBERED: usize = 100_000;
/// Of one device, and of one stranger's address.
const OF_ONE: usize = 4_096;
const OF_STRANGER: usize = 256;
/// So many a device has a place for, however many the others send.
const OWN: usize = 256;
/// Milliseconds between two looks through all of them.
const SWEEP: i64 = 500;
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
    /// Nothing more of whoever sends it can be remembered for a moment.
    #[error("too many DPoP proofs came from here within a minute")]
    Flooded,
}

impl Wanted<'_> {
    /// Whether a proof is for this, and made just now. It may have been here before.
    pub fn fits(&self, proof: &Proof, now: Timestamp) -> Result<(), Unproven> {
        let claims = &proof.claims;
        let hash = self.token.map(token_hash);
        let same = claims.htm == self.method && claims.htu == self.address && claims.ath == hash;
        if !same || claims.jti.is_empty() || claims.jti.len() > LONGEST {
            return Err(Unproven::Other);
        }
        if is_current(made(proof), now) { Ok(()) } else { Err(Unproven::Stale) }
    }
}

/// Proofs that were here, until they are too old anyway: those of devices that are let in apart from those
/// of strangers, who make as many keys as they like.
#[derive(Debug, Default)]
pub struct Proofs {
    devices: Mutex<Seen<DeviceId>>,
    strangers: Mutex<Seen<Option<Client>>>,
}

impl Proofs {
    /// Whether a proof that fits is here for the first time, of a device that is let in. What has no place is
    /// refused, never let through; a device that sends few has one, whatever the others do.
    pub fn of_device(&self, id: &DeviceId, proof: &Proof, now: Timestamp) -> Result<(), Unproven> {
        let mut seen = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.note(id.clone(), OF_ONE, proof, now)? {
            Room::Taken => Ok(()),
            Room::Full { own } if own < OWN => {
                seen.put(id.clone(), proof);
                Ok(())
            }
            Room::Full { .. } => Err(Unproven::Flooded),
        }
    }

    /// The same of somebody who asks to be let in, from there. If all of the table is full of others' it
    /// passes: a stranger's proof is worth nothing without what is sent to its key alone, and a flood from
    /// many places must not keep everybody from pairing.
    pub fn of_stranger(
        &self,
        from: Option<Client>,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(), Unproven> {
        let mut seen = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        seen.note(from, OF_STRANGER, proof, now).map(drop)
    }
}

/// Whether there was a place.
enum Room {
    Taken,
    /// All together are too many, and whoever sent this has so many.
    Full {
        own: usize,
    },
}

#[derive(Debug)]
struct Seen<K> {
    of: HashMap<K, HashMap<[u8; 32], i64>>,
    count: usize,
    swept: i64,
}

impl<K> Default for Seen<K> {
    fn default() -> Self {
        Self { of: HashMap::new(), count: 0, swept: 0 }
    }
}

impl<K: Hash + Eq> Seen<K> {
    fn note(
        &mut self,
        who: K,
        most: usize,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<Room, Unproven> {
        if self.of.get(&who).is_some_and(|own| own.contains_key(&id(proof))) {
            return Err(Unproven::Replayed);
        }
        let has = |seen: &Self| seen.of.get(&who).map_or(0, HashMap::len);
        if self.count >= REMEMBERED || has(self) >= most {
            self.sweep(now);
        }
        let own = has(self);
        if own >= most {
            return Err(Unproven::Flooded);
        }
        if self.count >= REMEMBERED {
            return Ok(Room::Full { own });
        }
        self.put(who, proof);
        Ok(Room::Taken)
    }

    fn put(&mut self, who: K, proof: &Proof) {
        self.of.entry(who).or_default().insert(id(proof), made(proof));
        self.count += 1;
    }

    /// Forgets what would be refused as stale, seldom enough that a flood is no work.
    fn sweep(&mut self, now: Timestamp) {
        if now.0.abs_diff(self.swept) < SWEEP.unsigned_abs() {
            return;
        }
        self.swept = now.0;
        for own in self.of.values_mut() {
            own.retain(|_, made| is_current(*made, now));
        }
        self.of.retain(|_, own| !own.is_empty());
        self.count = self.of.values().map(HashMap::len).sum();
    }
}

fn id(proof: &Proof) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(proof.key.0);
    hasher.update(proof.claims.jti.as_bytes());
    hasher.finalize().into()
}

fn made(proof: &Proof) -> i64 {
    proof.claims.iat.saturating_mul(1000)
}

fn is_current(made: i64, now: Timestamp) -> bool {
    made >= now.0.saturating_sub(PAST) && made <= now.0.saturating_add(FUTURE)
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

    fn by(key: u8, jti: &str) -> Proof {
        Proof { key: PublicKey([key; 32]), ..proof(jti) }
    }

    /// What comes of a proof by a device that is let in.
    fn check(proofs: &Proofs, proof: &Proof, now: Timestamp) -> Result<(), Unproven> {
        WANTED.fits(proof, now)?;
        proofs.of_device(&DeviceId::of(&proof.key), proof, now)
    }

    #[test]
    fn a_proof_is_good_once_and_for_its_request_alone() {
        let proofs = Proofs::default();
        assert_eq!(check(&proofs, &proof("a"), NOW), Ok(()));
        assert_eq!(check(&proofs, &proof("a"), NOW), Err(Unproven::Replayed));
        assert_eq!(check(&proofs, &by(2, "a"), NOW), Ok(()), "keys do not disturb one another");
        assert_eq!(proofs.of_stranger(None, &proof("a"), NOW), Ok(()));
        assert_eq!(proofs.of_stranger(None, &proof("a"), NOW), Err(Unproven::Replayed));
        for bad in [
            Wanted { method: "POST", ..WANTED },
            Wanted { address: "http://h/y", ..WANTED },
            Wanted { address: "http://other/x", ..WANTED },
            Wanted { token: Some("other"), ..WANTED },
            Wanted { token: None, ..WANTED },
        ] {
            assert_eq!(bad.fits(&proof("b"), NOW), Err(Unproven::Other), "{bad:?}");
        }
        for jti in [String::new(), "j".repeat(LONGEST + 1)] {
            assert_eq!(WANTED.fits(&proof(&jti), NOW), Err(Unproven::Other));
        }
    }

    #[test]
    fn a_proof_is_good_for_a_minute() {
        let proofs = Proofs::default();
        let at = |ms| Timestamp(NOW.0 + ms);
        assert_eq!(check(&proofs, &proof("a"), at(PAST)), Ok(()));
        assert_eq!(check(&proofs, &proof("b"), at(PAST + 1)), Err(Unproven::Stale));
        assert_eq!(check(&proofs, &proof("c"), at(-FUTURE)), Ok(()));
        assert_eq!(check(&proofs, &proof("d"), at(-FUTURE - 1)), Err(Unproven::Stale));
        let mut ever = proof("e");
        ever.claims.iat = i64::MAX;
        assert_eq!(check(&proofs, &ever, NOW), Err(Unproven::Stale));
        ever.claims.iat = i64::MIN;
        assert_eq!(check(&proofs, &ever, NOW), Err(Unproven::Stale));
    }

    #[test]
    fn a_flood_is_refused_and_passes() {
        let proofs = Proofs::default();
        for n in 0..OF_ONE {
            assert_eq!(check(&proofs, &proof(&n.to_string()), NOW), Ok(()));
        }
        assert_eq!(check(&proofs, &proof("one more"), NOW), Err(Unproven::Flooded));
        assert_eq!(check(&proofs, &proof("0"), NOW), Err(Unproven::Replayed));
        assert_eq!(check(&proofs, &by(2, "a"), NOW), Ok(()), "nobody else is refused");
        let later = Timestamp(NOW.0 + PAST + 2000);
        let mut fresh = proof("fresh");
        fresh.claims.iat = later.0 / 1000;
        assert_eq!(check(&proofs, &fresh, later), Ok(()));
    }

    #[test]
    fn who_sends_few_has_a_place_however_many_others_send() {
        let proofs = Proofs::default();
        let flood = |jti: &str| {
            for key in 0..=u8::MAX - 1 {
                let _ = check(&proofs, &by(key, jti), NOW);
            }
        };
        for n in 0..500 {
            flood(&n.to_string());
        }
        assert_eq!(check(&proofs, &by(1, "more"), NOW), Err(Unproven::Flooded));
        for n in 0..OWN {
            assert_eq!(check(&proofs, &by(255, &n.to_string()), NOW), Ok(()));
        }
        assert_eq!(
            check(&proofs, &by(255, "0"), NOW),
            Err(Unproven::Replayed),
            "and is remembered"
        );
        let held = proofs.devices.lock().unwrap().of.values().map(HashMap::len).sum::<usize>();
        assert!(held <= REMEMBERED + 256 * OWN, "{held}");
    }

    #[test]
    fn strangers_shut_out_neither_devices_nor_one_another() {
        let proofs = Proofs::default();
        let from = |n: u32| Some(Client::from(std::net::IpAddr::from(n.to_be_bytes())));
        let send = |n: u32, jti: &str| proofs.of_stranger(from(n), &proof(jti), NOW);
        for n in 0..OF_STRANGER {
            assert_eq!(send(0, &n.to_string()), Ok(()));
        }
        assert_eq!(send(0, "more"), Err(Unproven::Flooded));
        assert_eq!(send(1, "first"), Ok(()));
        for n in 2..1000 {
            for jti in 0..OF_STRANGER {
                let _ = send(n, &format!("{n} {jti}"));
            }
        }
        let held = proofs.strangers.lock().unwrap().count;
        assert!(held <= REMEMBERED, "{held}");
        assert_eq!(send(5000, "one of many"), Ok(()));
        assert_eq!(send(1, "first"), Err(Unproven::Replayed), "who was there before is remembered");
        assert_eq!(check(&proofs, &proof("a"), NOW), Ok(()));
    }
}
