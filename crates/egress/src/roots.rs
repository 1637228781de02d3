//! Whom this machine trusts: the broker, and therefore the programs in a box.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use pem::{EncodeConfig, LineEnding, Pem};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Where distributions keep what they trust, before anybody adds to it.
const SHIPPED: [&str; 2] = ["/usr/share/ca-certificates", "/usr/share/pki/ca-trust-source"];

/// Certificates of authorities.
pub struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Those that this machine trusts, by the file that `SSL_CERT_FILE` names or the system's own: where
    /// the broker looks, too.
    pub fn of_this_machine() -> Self {
        Self(rustls_native_certs::load_native_certs().certs)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in PEM (RFC 7468).
    pub fn pem(&self) -> String {
        encode(self.0.iter())
    }

    /// Those that somebody added to what the distribution trusts, in PEM: a company's own, for one. A
    /// browser has roots of its own. It is told of no public one: it looks harder at what those sign than
    /// at what it was told to trust, and of those that it has not, it let go for a reason.
    pub fn private_pem(&self) -> String {
        let mut shipped = HashSet::new();
        SHIPPED.iter().for_each(|path| gather(Path::new(path), &mut shipped));
        let added = |root: &&CertificateDer<'static>| !shipped.contains(*root) && !is_public(root);
        encode(self.0.iter().filter(added))
    }
}

/// The certificates in all files beneath.
fn gather(path: &Path, found: &mut HashSet<CertificateDer<'static>>) {
    if let Ok(entries) = fs::read_dir(path) {
        entries.flatten().for_each(|entry| gather(&entry.path(), found));
    } else if let Ok(certs) = CertificateDer::pem_file_iter(path) {
        found.extend(certs.flatten());
    }
}

fn encode<'c>(certs: impl Iterator<Item = &'c CertificateDer<'static>>) -> String {
    let lines = EncodeConfig::new().set_line_ending(LineEnding::LF);
    certs.map(|one| pem::encode_config(&Pem::new("CERTIFICATE", one.as_ref()), lines)).collect()
}

/// Whether it is one of Mozilla's: the same key under the same name, whoever signed it.
fn is_public(root: &CertificateDer<'static>) -> bool {
    let mut store = RootCertStore::empty();
    store.add(root.clone()).is_ok()
        && store.roots.iter().all(|own| {
            webpki_roots::TLS_SERVER_ROOTS.iter().any(|known| {
                known.subject == own.subject
                    && known.subject_public_key_info == own.subject_public_key_info
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_of_ones_own_is_no_public_one() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        let roots = Roots(vec![made.der().clone()]);
        assert_eq!(roots.private_pem(), roots.pem());
        assert!(roots.pem().starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(!roots.is_empty());
    }

    /// Mozilla knows some of what a distribution trusts, and the distribution's own files hold the rest.
    #[test]
    fn what_a_distribution_trusts_is_not_private() {
        let files = tempfile::tempdir().unwrap();
        let beneath = files.path().join("mozilla");
        fs::create_dir(&beneath).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        fs::write(beneath.join("One.crt"), made.pem()).unwrap();
        fs::write(beneath.join("README"), "no certificate").unwrap();
        let mut found = HashSet::new();
        gather(files.path(), &mut found);
        assert_eq!(found, HashSet::from([made.der().clone()]));

        let machine = Roots::of_this_machine();
        let public = machine.0.iter().filter(|root| is_public(root)).count();
        assert!(machine.is_empty() || public > 0, "none of this machine's roots is Mozilla's");
    }
}
