//! The audit's arithmetic: what is hashed, what is signed, and how a chain is checked.
//! No storage: both drivers feed it rows.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use smartbox_core::audit::{self, Act};
use smartbox_core::store::StoreError;

/// The hash before the first entry.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is hashed of an act. Its own type, so that a field added to [`Act`] does not silently
/// change the hashes of old entries; the order of fields is the canonical one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Canonical<'a> {
    pub(crate) account: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) action: &'a str,
    pub(crate) smartbox: Option<&'a str>,
    pub(crate) detail: &'a str,
    pub(crate) at: i64,
}

impl<'a> From<&'a Act> for Canonical<'a> {
    fn from(act: &'a Act) -> Self {
        Self {
            account: act.account.as_str(),
            actor: &act.actor,
            action: &act.action,
            smartbox: act.smartbox.as_ref().map(|id| id.as_str()),
            detail: &act.detail,
            at: act.at.0,
        }
    }
}

/// The hash of the entry that follows the one with hash `previous` (both lower-case hex).
pub(crate) fn hash(previous: &str, act: &Canonical<'_>) -> Result<String, StoreError> {
    let json = serde_json::to_vec(act).map_err(|e| StoreError::Broken(e.into()))?;
    let mut sha = Sha256::new();
    sha.update(previous.as_bytes());
    sha.update(&json);
    Ok(hex::encode(sha.finalize()))
}

/// The signed end of a chain.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// The number of the last entry; 0 for an empty chain.
    pub(crate) seq: u64,
    /// Its hash.
    pub(crate) hash: String,
    /// Ed25519, 64 bytes.
    pub(crate) signature: Vec<u8>,
}

impl Head {
    /// Signs the end of `account`'s chain.
    pub(crate) fn sign(key: &SigningKey, account: &str, seq: u64, hash: String) -> Self {
        let signature = key.sign(&statement(account, seq, &hash)).to_bytes().to_vec();
        Self { seq, hash, signature }
    }

    /// As it is told to others.
    pub(crate) fn told(&self, key: &SigningKey) -> audit::Head {
        audit::Head {
            seq: self.seq,
            hash: self.hash.clone(),
            signature: hex::encode(&self.signature),
            key: hex::encode(key.verifying_key().as_bytes()),
        }
    }

    fn genuine(&self, key: &VerifyingKey, account: &str) -> bool {
        Signature::from_slice(&self.signature).is_ok_and(|signature| {
            key.verify_strict(&statement(account, self.seq, &self.hash), &signature).is_ok()
        })
    }
}

fn statement(account: &str, seq: u64, hash: &str) -> Vec<u8> {
    format!("smartbox-audit-head-1\n{account}\n{seq}\n{hash}").into_bytes()
}

/// Checks a chain, entry by entry from the first.
pub(crate) struct Check {
    last: u64,
    hash: String,
    bad: Option<u64>,
}

impl Check {
    /// Nothing seen yet.
    pub(crate) fn new() -> Self {
        Self { last: 0, hash: START.to_owned(), bad: None }
    }

    /// The next entry as it is stored; whether the chain is still good.
    pub(crate) fn entry(
        &mut self,
        seq: i64,
        act: &Canonical<'_>,
        stored: &str,
    ) -> Result<bool, StoreError> {
        let expected = self.last + 1;
        let hash = hash(&self.hash, act)?;
        if u64::try_from(seq) != Ok(expected) || hash != stored {
            self.bad = Some(expected);
            return Ok(false);
        }
        self.last = expected;
        self.hash = hash;
        Ok(true)
    }

    /// The number of the first bad entry, if any, given the account's signed head.
    pub(crate) fn finish(
        self,
        key: &VerifyingKey,
        account: &str,
        head: Option<&Head>,
    ) -> Option<u64> {
        if self.bad.is_some() {
            return self.bad;
        }
        match head {
            // Without a genuine head nothing vouches for any entry.
            None => Some(1),
            Some(head) if !head.genuine(key, account) => Some(self.last.max(1)),
            Some(head) if head.seq < self.last => Some(head.seq + 1),
            Some(head) if head.seq > self.last => Some(self.last + 1),
            Some(head) if head.hash != self.hash => Some(self.last.max(1)),
            Some(_) => None,
        }
    }
}

/// Checks entries that somebody was given, away from any store: from the first, or from behind one whose
/// hash is believed.
pub struct Given {
    account: String,
    check: Check,
}

impl Given {
    /// Nothing seen yet of the chain of this account, behind this entry.
    pub fn behind(account: &str, seq: u64, hash: &str) -> Self {
        let hash = if seq == 0 { START } else { hash }.to_owned();
        Self { account: account.to_owned(), check: Check { last: seq, hash, bad: None } }
    }

    /// The next entry; whether the chain is still good.
    pub fn entry(&mut self, entry: &audit::Entry) -> bool {
        let seq = i64::try_from(entry.seq).unwrap_or(i64::MAX);
        let good = entry.act.account.as_str() == self.account;
        let act = Canonical::from(&entry.act);
        good && self.check.entry(seq, &act, &entry.hash).unwrap_or(false)
    }

    /// The number of the first bad entry, if any, given the signed head.
    pub fn finish(self, head: &audit::Head) -> Option<u64> {
        let at = self.check.last.max(1);
        let key = hex::decode(&head.key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
        let key = key.and_then(|key| VerifyingKey::from_bytes(&key).ok());
        let (Some(key), Ok(signature)) = (key, hex::decode(&head.signature)) else {
            return Some(at);
        };
        let head = Head { seq: head.seq, hash: head.hash.clone(), signature };
        self.check.finish(&key, &self.account, Some(&head))
    }
}
