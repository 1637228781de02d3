//! A certificate and its key: read, checked against one another, and looked at for what browsers
//! would complain about.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use smartbox_core::time::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Files;

/// Longer files are no certificates.
const LONGEST: u64 = 1 << 20;

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} {why}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key is another certificate's.
    #[error("the key does not belong to the certificate")]
    Foreign,
}

/// What browsers would complain about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    Early,
    /// It is not for this name.
    Name(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("it has expired"),
            Self::Early => f.write_str("it is not valid yet"),
            Self::Name(name) => write!(f, "it is not for {name}"),
        }
    }
}

/// A certificate and its key that belong together.
#[derive(Debug, Clone)]
pub struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    /// From when it is valid.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
    /// The host names that it is for, lower case.
    pub names: Vec<String>,
}

/// The two files' content: the same one need not be looked at twice.
pub(super) type Digests = [u8; 32];

/// The bytes of both files, as they are now.
pub(super) struct Bytes {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Bytes {
    pub(super) fn read(files: &Files) -> Result<Self, PairError> {
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    pub(super) fn digest(&self) -> Digests {
        let parts = [&self.certificate, &self.key].map(Sha256::digest);
        Sha256::digest(parts.concat()).into()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PairError> {
    let failed = |source| PairError::Unreadable { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LONGEST {
        return Err(PairError::Bad { path: path.to_owned(), why: "is too long".into() });
    }
    std::fs::read(path).map_err(failed)
}

impl Pair {
    /// Reads both files.
    pub fn read(files: &Files) -> Result<Self, PairError> {
        Self::parse(files, &Bytes::read(files)?)
    }

    pub(super) fn parse(files: &Files, bytes: &Bytes) -> Result<Self, PairError> {
        let bad = |path: &Path, why: String| PairError::Bad { path: path.to_owned(), why };
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&bytes.certificate)
                .collect::<Result<_, _>>()
                .map_err(|error| bad(&files.certificate, format!("is no PEM: {error}")))?;
        let Some(first) = chain.first() else {
            return Err(bad(&files.certificate, "has no certificate in it".into()));
        };
        let (begins, ends, names) =
            look(first).ok_or_else(|| bad(&files.certificate, "is no certificate".into()))?;
        let key = PrivateKeyDer::from_pem_slice(&bytes.key).map_err(|error| match error {
            pem::Error::NoItemsFound => bad(&files.key, "has no private key in it".into()),
            // What a parser says of a key may quote it.
            _ => bad(&files.key, "is no PEM".into()),
        })?;
        let key =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| {
                match error {
                    rustls::Error::InconsistentKeys(_) => PairError::Foreign,
                    _ => bad(&files.key, "is no key that can be used (RSA, ECDSA, Ed25519)".into()),
                }
            })?;
        Ok(Self { key: Arc::new(key), begins, ends, names })
    }

    /// What browsers would complain about on `host` and on the boxes below it.
    pub fn faults(&self, host: &str, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        if now > self.ends {
            faults.push(Fault::Expired);
        }
        if now < self.begins {
            faults.push(Fault::Early);
        }
        for name in [host.to_owned(), format!("*.{host}")] {
            if !self.covers(&name) {
                faults.push(Fault::Name(name));
            }
        }
        faults
    }

    /// Whether it is for this name. A wildcard stands for one label.
    fn covers(&self, name: &str) -> bool {
        let below = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        self.names.iter().any(|own| own == name || below.as_ref() == Some(own))
    }

    /// How long it is still valid.
    pub fn left(&self, now: Timestamp) -> Duration {
        self.ends.since(now)
    }
}

fn look(der: &[u8]) -> Option<(Timestamp, Timestamp, Vec<String>)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let time = |seconds: i64| Timestamp(seconds.saturating_mul(1000));
    let validity = certificate.validity();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map_or(&[][..], |names| names.value.general_names.as_slice());
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    let (begins, ends) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    Some((time(begins), time(ends), names.collect()))
}
