//! Encrypted connections, and what is said of a platform that cannot show that it is the one that was
//! meant. What is absent: a way to take its word for it.

use std::io;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use smartbox_api::problem::Exit;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Trust;
use super::trust::Authorities;
use crate::error::CliError;
use crate::ui::out;

/// Names of a certificate that are shown at the most: a stranger wrote them.
const NAMES: usize = 5;

/// How connections are encrypted: by the machine's authorities (`SSL_CERT_FILE` included; Mozilla's
/// where the machine has none), or by those that are named, and no others.
pub(super) fn config(trust: &Trust) -> Result<Arc<ClientConfig>, CliError> {
    let roots = match &trust.ca {
        Some(own) => own.roots()?,
        None => machines(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| CliError::here(format!("this command cannot encrypt: {e}"), ""))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn machines() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// Encrypts a connection to whoever proves to be this host.
pub(super) async fn encrypt(
    config: Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await
}

/// Why a handshake failed. Who hung up may be back in a moment; who is another will not be the right one
/// then.
pub(super) fn explain(error: io::Error, host: &str, place: &str, trust: &Trust) -> CliError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let (what, hint, exit) = match cause {
        Some(Error::InvalidCertificate(why)) => {
            let (what, hint) = distrusted(why, host, place, trust.ca.as_ref());
            (what, hint, Exit::Failure)
        }
        Some(Error::InvalidMessage(_)) => (
            format!("{place} does not speak TLS"),
            format!("look at the port; if the platform has no certificate, write http://{place}"),
            Exit::Usage,
        ),
        Some(Error::PeerIncompatible(why)) => (
            format!("{place} speaks no TLS that is safe: {why:?}"),
            "it takes TLS 1.2 or 1.3: look what stands before the platform".into(),
            Exit::Failure,
        ),
        Some(Error::AlertReceived(alert)) => (
            format!("{place} did not go on with TLS: it says {alert:?}"),
            "look whether the address is the platform's".into(),
            Exit::Failure,
        ),
        _ => return CliError::Broken(error.into()),
    };
    CliError::Here { what, hint, exit }
}

fn distrusted(
    why: &CertificateError,
    host: &str,
    place: &str,
    own: Option<&Authorities>,
) -> (String, String) {
    use CertificateError as Bad;
    let whose = format!("the certificate of {place}");
    match why {
        // An authority of the same name with another key is another one.
        Bad::UnknownIssuer | Bad::BadSignature => match own {
            None => (
                format!("{whose} is from nobody whom this machine trusts"),
                "if an authority of your own made it, name that: --ca FILE, or SMARTBOX_CA".into(),
            ),
            Some(own) => (
                format!("{whose} is not from the authority that is named: {own}"),
                "get the certificate of the platform's authority by a way that you trust, and name \
                 it with --ca; if this is the right one, somebody is in between"
                    .into(),
            ),
        },
        Bad::NotValidForName => misnamed(&whose, host, &[]),
        Bad::NotValidForNameContext { presented, .. } => misnamed(&whose, host, presented),
        Bad::Expired | Bad::ExpiredContext { .. } => (
            format!("{whose} has expired"),
            "have it renewed: `smartbox doctor` on the platform's machine says since when; or this \
             machine's clock is wrong"
                .into(),
        ),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => (
            format!("{whose} is not valid yet"),
            "compare the clocks of both machines".into(),
        ),
        Bad::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
            format!("{whose} is an authority's own, which is not for a host"),
            "have the authority sign one for the host; or make it anew with openssl's \
             `-addext basicConstraints=critical,CA:FALSE`"
                .into(),
        ),
        other => (
            format!("{whose} cannot be trusted: {other}"),
            "look at the certificate of the platform, or of what stands before it".into(),
        ),
    }
}

fn misnamed(whose: &str, host: &str, presented: &[String]) -> (String, String) {
    let names: Vec<String> = presented.iter().take(NAMES).map(|name| bare(name)).collect();
    let more = if presented.len() > NAMES { " and others" } else { "" };
    let what = match names.as_slice() {
        [] => format!("{whose} is not for {host}"),
        names => format!("{whose} is for {}{more}, not for {host}", names.join(", ")),
    };
    (what, "use the name that it is for, or have one made for the name that you use".into())
}

/// A name as people write it, of `DnsName("a.example")` or `IpAddress(127.0.0.1)`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    out::line(inner.unwrap_or(name).trim_matches('"'))
}
