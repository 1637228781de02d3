//! A certificate authority of one box: what the box trusts when its TLS is opened. Its key is the
//! platform's alone; it vouches for nothing outside that box, and lives as long as its sandbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use smartbox_core::egress::Host;
use smartbox_core::egress::port::Authority;
use smartbox_core::secret::Secret;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Certificates of one box that are remembered; most boxes meet a few dozen hosts.
const REMEMBERED: usize = 256;
/// A day on either side: a box whose clock was set while it was frozen still believes it.
const DAY: time::Duration = time::Duration::DAY;
/// How long an authority counts; its sandbox ends long before.
const LONG: time::Duration = time::Duration::days(3650);
/// How long a certificate counts.
const SHORT: time::Duration = time::Duration::days(90);

/// It cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    /// By the library that makes certificates.
    #[error("the certificate authority of the smartbox cannot be used")]
    Certificate(#[from] rcgen::Error),
    /// By the one that speaks TLS.
    #[error("TLS cannot be spoken with a certificate of the smartbox's authority")]
    Tls(#[from] rustls::Error),
}

/// Makes the authority of a new sandbox.
pub(crate) fn make(now: OffsetDateTime) -> Result<Authority, AuthorityError> {
    let key = KeyPair::generate()?;
    let mut params = params();
    (params.not_before, params.not_after) = (now - DAY, now + LONG);
    let certificate = params.self_signed(&key)?;
    Ok(Authority { certificate: certificate.pem(), key: Secret::new(key.serialize_pem()) })
}

/// What every authority is like; they differ in their keys.
fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "The smartbox's own authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// Vouches for hosts towards one box.
pub(crate) struct Voucher {
    issuer: Issuer<'static, KeyPair>,
    known: Mutex<HashMap<Host, (OffsetDateTime, Arc<ServerConfig>)>>,
}

impl Voucher {
    pub(crate) fn new(authority: &Authority) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(authority.key.expose())?;
        Ok(Self { issuer: Issuer::new(params(), key), known: Mutex::default() })
    }

    /// What the broker speaks TLS with, as this host. HTTP/1.1 alone is offered: it is what is read.
    pub(crate) fn vouch(
        &self,
        host: &Host,
        now: OffsetDateTime,
    ) -> Result<Arc<ServerConfig>, AuthorityError> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, config)) = lock().get(host)
            && now < *until
        {
            return Ok(config.clone());
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Smartbox: opened TLS");
        params.subject_alt_names = vec![match host {
            Host::Name(name) => SanType::DnsName(name.to_string().try_into()?),
            Host::Ip(ip) => SanType::IpAddress(*ip),
        }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = (now - DAY, now + SHORT);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain: Vec<CertificateDer<'static>> = vec![certificate.into()];
        let bytes = Zeroizing::new(key.serialize_der());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bytes.to_vec()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        let mut known = lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(host.clone(), (now + SHORT - DAY, config.clone()));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_can_be_kept_and_vouches_for_a_host_once() {
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
        let made = make(now).unwrap();
        assert!(!made.certificate.contains("PRIVATE"));
        let voucher = Voucher::new(&made).unwrap();
        let host = Host::parse("example.com").unwrap();
        let one = voucher.vouch(&host, now).unwrap();
        assert!(Arc::ptr_eq(&one, &voucher.vouch(&host, now).unwrap()));
        assert!(!Arc::ptr_eq(&one, &voucher.vouch(&host, now + SHORT).unwrap()));
        assert!(voucher.vouch(&Host::parse("[2606::1]").unwrap(), now).is_ok());
        let broken = Authority { key: Secret::new("x".to_owned()), ..made };
        assert!(Voucher::new(&broken).is_err());
    }
}
