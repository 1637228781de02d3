//! TLS: the certificate that the operator brings, kept fresh while the platform runs.
//!
//! What is absent: getting one from an authority, client certificates, early data (whoever replays
//! a first flight would replay what it asks for), and any rule about who may come in.

mod accept;
mod keep;
mod pair;

pub use accept::Accept;
pub use keep::{Keeper, Look};
pub use pair::{Fault, Pair, PairError};

/// The files with the certificate and its key, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those between it and its authority, the own one first.
    pub certificate: std::path::PathBuf,
    /// Its private key.
    pub key: std::path::PathBuf,
}
