//! What a person says of how far a platform elsewhere may be trusted before it has proved anything:
//! whose certificates count, and whether a token may travel unencrypted.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use smartbox_server::config::Env;

use super::{Place, Reach};
use crate::error::CliError;

/// Names a file with the authorities of an https platform.
pub(crate) const CA: &str = "SMARTBOX_CA";
/// Says that tokens may travel unencrypted.
pub(crate) const PLAIN: &str = "SMARTBOX_PLAIN_HTTP";

/// Longer files are no authorities'.
const LONGEST: u64 = 1 << 20;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What is said of a platform's trust.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    /// Whose certificates count, instead of those that the machine knows.
    pub(crate) ca: Option<Authorities>,
    /// Tokens may travel unencrypted beyond this machine.
    pub(crate) plain: bool,
}

impl Trust {
    /// What the command line and the environment say beside what is kept. Nearest wins: the command
    /// line over what is kept, and that over the environment, which may mean another platform.
    pub(crate) fn of(place: &Place, env: &Env, kept: Self) -> Self {
        let file = |path: &Path| Authorities::File(path.to_owned());
        let named = place.ca.as_deref().map(file);
        let by_variable = || env.get(CA).map(|path| file(Path::new(path)));
        let plain = matches!(env.get(PLAIN), Some("true" | "1"));
        Self {
            ca: named.or(kept.ca).or_else(by_variable),
            plain: place.plain_http || kept.plain || plain,
        }
    }

    /// What of it is kept for a platform: what matters for its address, as it is now.
    pub(crate) fn keeping(self, reach: &Reach) -> Result<Self, CliError> {
        match (reach, self.ca) {
            (Reach::Tcp { tls: true, .. }, Some(ca)) => {
                ca.roots()?;
                Ok(Self { ca: Some(Authorities::Kept(ca.pem()?)), plain: false })
            }
            (Reach::Tcp { tls: true, .. }, None) => Ok(Self::default()),
            _ => Ok(Self { ca: None, plain: self.plain }),
        }
    }
}

/// Certificates of authorities.
#[derive(Debug, Clone)]
pub(crate) enum Authorities {
    /// In a file, as PEM.
    File(PathBuf),
    /// As PEM, from the file of contexts.
    Kept(String),
}

impl fmt::Display for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Kept(_) => f.write_str("the one that is kept with the context"),
        }
    }
}

impl Authorities {
    /// Their certificates and nothing else of the file: a key that stands beside them stays there.
    pub(crate) fn pem(&self) -> Result<String, CliError> {
        let path = match self {
            Self::Kept(pem) => return Ok(pem.clone()),
            Self::File(path) => path,
        };
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
            .map_err(|e| self.unusable(&format!("it cannot be read: {e}")))?;
        let (mut pem, mut within) = (String::new(), false);
        for line in text.lines().map(str::trim) {
            within |= line == BEGIN;
            if within {
                pem.push_str(line);
                pem.push('\n');
            }
            within &= line != END;
        }
        Ok(pem)
    }

    /// The roots that they are.
    pub(super) fn roots(&self) -> Result<RootCertStore, CliError> {
        let pem = self.pem()?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let added = certificate
                .map_err(|e| format!("{e:?}"))
                .and_then(|certificate| roots.add(certificate).map_err(|e| e.to_string()));
            added.map_err(|why| self.unusable(&format!("a certificate in it is none: {why}")))?;
        }
        if roots.is_empty() {
            return Err(self.unusable("there is no certificate in it"));
        }
        Ok(roots)
    }

    fn unusable(&self, why: &str) -> CliError {
        let hint = format!(
            "give the certificate of the platform's authority as PEM, which begins with `{BEGIN}`"
        );
        CliError::usage(format!("{self} names no authority: {why}"), hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn of_a_file_the_certificates_are_kept_and_never_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let ((one, key), (two, _)) = (made(), made());
        std::fs::write(&file, format!("subject=me\n{one}\n{key}\n{two}")).unwrap();
        let authorities = Authorities::File(file);
        let pem = authorities.pem().unwrap();
        assert!(!pem.contains("KEY") && !pem.contains("subject"), "{pem}");
        assert_eq!(authorities.roots().unwrap().len(), 2);
        assert_eq!(Authorities::Kept(pem).roots().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_authority_is_said_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let authorities = Authorities::File(file.clone());
        assert!(authorities.roots().unwrap_err().to_string().contains("cannot be read"));
        for (text, why) in [
            (made().1, "there is no certificate"),
            (String::new(), "there is no certificate"),
            (format!("{BEGIN}\nAAAA\n{END}\n"), "is none"),
            (format!("{BEGIN}\n?\n{END}\n"), "is none"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = authorities.roots().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_command_line_wins_over_what_is_kept_and_that_over_the_environment() {
        let kept = || Trust { ca: Some(Authorities::Kept("kept".into())), plain: false };
        let env = Env::of([("SMARTBOX_CA", "/env.pem"), ("SMARTBOX_PLAIN_HTTP", "true")]);
        let named = Place { ca: Some("/named.pem".into()), ..Place::default() };
        let of = |place: &Place, kept| Trust::of(place, &env, kept).ca.unwrap().to_string();
        assert_eq!(of(&named, kept()), "/named.pem");
        assert_eq!(of(&Place::default(), kept()), "the one that is kept with the context");
        assert_eq!(of(&Place::default(), Trust::default()), "/env.pem");
        assert!(Trust::of(&Place::default(), &env, kept()).plain);
        assert!(!Trust::of(&Place::default(), &Env::default(), kept()).plain);
    }
}
