//! An authority that a test makes, and the certificates that it signs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// An authority.
pub(crate) struct Office {
    issuer: Issuer<'static, KeyPair>,
    ca: String,
    dir: tempfile::TempDir,
}

/// What a certificate is like.
pub(crate) struct Like {
    pub(crate) names: &'static [&'static str],
    /// The first and the last year in which it is good.
    pub(crate) years: (i32, i32),
    /// It says that it is an authority's.
    pub(crate) authority: bool,
}

impl Default for Like {
    fn default() -> Self {
        Self { names: &["localhost"], years: (2020, 2090), authority: false }
    }
}

impl Like {
    fn params(&self) -> CertificateParams {
        let names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        if self.authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        params
    }
}

impl Office {
    /// One of this name.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let ca = params.self_signed(&key).unwrap().pem();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), &ca).unwrap();
        Self { issuer: Issuer::new(params, key), ca, dir }
    }

    /// The file with its own certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(crate) fn pem(&self) -> &str {
        &self.ca
    }

    /// A server's side of TLS, with a certificate that it signed.
    pub(crate) fn signed(&self, like: &Like) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let own = like.params().signed_by(&key, &self.issuer).unwrap();
        acceptor(own.der().clone(), &key)
    }
}

/// The same with a certificate that nobody else signed, which goes into the file.
pub(crate) fn alone(like: &Like, file: &Path) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let own = like.params().self_signed(&key).unwrap();
    std::fs::write(file, own.pem()).unwrap();
    acceptor(own.der().clone(), &key)
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
