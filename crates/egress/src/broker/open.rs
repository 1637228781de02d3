//! Opening TLS: the broker speaks it with the box as the host, and with the host as anybody would, and
//! sees each request in between.

use std::sync::Arc;

use bytes::BytesMut;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use smartbox_core::egress::{Host, Refusal};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Inner;
use super::authority::Voucher;
use super::case::Case;
use super::forward;
use super::rewind::Rewind;

/// Trusts what the machine trusts, or Mozilla's roots on a machine that has none.
pub(crate) fn outward(extra: &[rustls::pki_types::CertificateDer<'static>]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(extra.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = match builder {
        Ok(builder) => builder.with_root_certificates(roots).with_no_client_auth(),
        // Of one provider with its own versions this cannot be; said so that no caller has to.
        Err(error) => unreachable!("ring speaks TLS: {error}"),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Serves the requests inside a connection whose first bytes are `held`.
pub(crate) async fn open<I>(mut case: Case, inside: I, held: BytesMut)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = match case.inner.voucher(&case).await {
        Ok(voucher) => voucher.vouch(&case.target.host, case.inner.now()),
        Err(why) => return case.refused(why),
    };
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            tracing::warn!(smartbox = %case.id, %error, "TLS cannot be opened");
            return case.refused(Refusal::Request);
        }
    };
    let accept = TlsAcceptor::from(config).accept(Rewind::new(held, inside));
    let within = case.inner.parts.limits.head_time;
    case.secure = true;
    match tokio::time::timeout(within, accept).await {
        Ok(Ok(stream)) => forward::inside(case, stream, BytesMut::new()).await,
        Ok(Err(error)) => {
            // Most often a program that does not trust the box's authority.
            tracing::debug!(smartbox = %case.id, %error, "TLS was not opened by the other side");
            case.refused(Refusal::Untrusted);
        }
        Err(_) => case.refused(Refusal::Unreachable),
    }
}

impl Inner {
    async fn voucher(&self, case: &Case) -> Result<Arc<Voucher>, Refusal> {
        let authority = match self.parts.rules.authority(&case.id).await {
            Ok(Some(authority)) => authority,
            // A sandbox of an older platform, which made none.
            Ok(None) => return Err(Refusal::Request),
            Err(error) => {
                tracing::warn!(smartbox = %case.id, %error, "an authority could not be read");
                return Err(Refusal::Request);
            }
        };
        let known = self.know(&case.id);
        let mut known = known.voucher.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((of, voucher)) = &*known
            && *of == authority.certificate
        {
            return Ok(voucher.clone());
        }
        let voucher = Arc::new(Voucher::new(&authority).map_err(|error| {
            tracing::warn!(smartbox = %case.id, %error, "an authority could not be used");
            Refusal::Request
        })?);
        *known = Some((authority.certificate, voucher.clone()));
        Ok(voucher)
    }

    /// Speaks TLS with a host. Its certificate must be its own.
    pub(crate) async fn secure(
        &self,
        host: &Host,
        server: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Refusal> {
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.to_string()).ok(),
            Host::Ip(ip) => Some(ServerName::from(*ip)),
        };
        let name = name.ok_or(Refusal::Host)?;
        let connect = TlsConnector::from(self.outward.clone()).connect(name, server);
        match tokio::time::timeout(self.parts.limits.dial_time, connect).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                tracing::debug!(%host, %error, "a host's certificate is not its own");
                Err(Refusal::Unreachable)
            }
            Err(_) => Err(Refusal::Unreachable),
        }
    }
}
