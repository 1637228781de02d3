//! Trust towards providers: one crypto provider and one set of roots. No connection is made here.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

/// Makes ring the process's crypto provider, if none is installed yet. May be called often.
pub fn install_crypto() {
    if CryptoProvider::get_default().is_none() {
        // Losing a race against another installer is as good as winning it.
        let _ = ring::default_provider().install_default();
    }
}

/// A client's TLS configuration: the machine's own roots (`SSL_CERT_FILE` and `SSL_CERT_DIR`
/// included), or the built-in Mozilla roots on a machine that has none.
pub fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (taken, ignored) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    tracing::debug!(taken, ignored, built_in = taken == 0, "certificate roots loaded");
    let provider = CryptoProvider::get_default()
        .cloned()
        .unwrap_or_else(|| Arc::new(ring::default_provider()));
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installing_twice_is_installing_once() {
        install_crypto();
        install_crypto();
        assert!(CryptoProvider::get_default().is_some());
    }

    #[test]
    fn a_configuration_can_be_made_on_any_machine() {
        assert!(client_config().is_ok());
    }
}
