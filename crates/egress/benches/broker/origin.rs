//! The servers: HTTP, bytes after a greeting of TLS, and TLS itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::AnyResult;

/// They run as long as the process.
pub(crate) struct Origin {
    /// Answers `/n` with n bytes; `/hold` with some of an answer, and then with silence.
    pub(crate) http: u16,
    /// Answers a greeting with [`Self::size`] bytes, as a server of TLS would with a whole session: what
    /// passes is not read by a proxy, and enciphering it would be most of the work.
    pub(crate) tunnel: u16,
    /// TLS, and within it as `http`.
    pub(crate) secure: u16,
    /// How many bytes come back through a tunnel; 0 are some and then silence.
    pub(crate) size: Arc<AtomicUsize>,
    /// Who vouches for the server.
    pub(crate) root: CertificateDer<'static>,
}

impl Origin {
    pub(crate) async fn start(most: usize) -> AnyResult<Self> {
        let body: Arc<[u8]> = vec![b'x'; most.max(1 << 10)].into();
        let size = Arc::new(AtomicUsize::new(0));
        let (root, config) = certificate()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let of = body.clone();
        let http = listen(move |stream| answer(stream, of.clone())).await?;
        let (of, many) = (body.clone(), size.clone());
        let tunnel =
            listen(move |stream| greet(stream, of.clone(), many.load(Ordering::Relaxed))).await?;
        let secure = listen(move |stream| {
            let (acceptor, body) = (acceptor.clone(), body.clone());
            async move { answer(acceptor.accept(stream).await?, body).await }
        })
        .await?;
        Ok(Self { http, tunnel, secure, size, root })
    }
}

async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> AnyResult<u16>
where
    F: Future<Output = AnyResult<()>> + Send + 'static,
{
    let listener = crate::proxy::listener()?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = TcpListener::accept(&listener).await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(serve(stream));
        }
    });
    Ok(port)
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, body: Arc<[u8]>) -> AnyResult<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let path = line.split(' ').nth(1).unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let many = path.parse().ok();
    let length = many.unwrap_or(1 << 40);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body[..many.unwrap_or(64)]).await?;
    stream.flush().await?;
    if many.is_none() {
        // Until the other end has enough.
        stream.read_u8().await?;
    }
    Ok(stream.shutdown().await?)
}

async fn greet(mut stream: TcpStream, body: Arc<[u8]>, many: usize) -> AnyResult<()> {
    let mut greeting = [0; 4096];
    if stream.read(&mut greeting).await? == 0 {
        return Ok(());
    }
    stream.write_all(&body[..if many == 0 { 64 } else { many }]).await?;
    if many == 0 {
        stream.read_u8().await?;
    }
    Ok(stream.shutdown().await?)
}

fn certificate() -> AnyResult<(CertificateDer<'static>, rustls::ServerConfig)> {
    let ca = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&ca)?.der().clone();
    let key = KeyPair::generate()?;
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    let own = own.signed_by(&key, &Issuer::new(params, ca))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![own.into()], PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((root, config))
}
